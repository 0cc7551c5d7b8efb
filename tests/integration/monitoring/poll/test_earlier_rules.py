"""References that an earlier version of the program fitted."""

import json
from pathlib import Path

import pytest
from sqlalchemy import select, update

from driftline.store.tables import chunk_revisions, spec_revisions
from driftline.store.versions import registry
from tests.integration.monitoring.poll.polls import on_mariadb, poll
from tests.integration.monitoring.world import NAME, MonitoredWorld


def fitted_by_earlier_rules(world: MonitoredWorld) -> None:
    """Store the reference as a version of the program did that knew none of the present rules of evidence."""
    is_version = spec_revisions.c.model_number == world.version.model_number
    with world.engine.begin() as connection:
        fitted = json.loads(connection.execute(select(spec_revisions.c.fitted).where(is_version)).scalar_one())
        fitted |= {"evidence": None, "no_evidence": None}
        del fitted["evidence_rules"]
        connection.execute(update(spec_revisions).where(is_version).values(fitted=json.dumps(fitted)))


@on_mariadb
def test_a_reference_of_earlier_rules_is_fitted_again_once(world: MonitoredWorld) -> None:
    world.predict(0)
    evidence = registry.load(world.engine, NAME).fitted.evidence
    assert evidence is not None
    fitted_by_earlier_rules(world)
    assert not registry.load(world.engine, NAME).fitted.is_current
    poll(world)
    world.predict(1)
    poll(world)
    version = registry.load(world.engine, NAME)
    assert (version.spec_revision, version.fitted.is_current) == (2, True)
    assert version.fitted.evidence is not None
    assert version.fitted.evidence.to_dict() == evidence.to_dict()
    assert {row["spec_revision"] for row in world.rows(chunk_revisions) if row["current"]} == {2}


@on_mariadb
def test_a_version_without_its_reference_is_polled_by_earlier_rules(
    world: MonitoredWorld, caplog: pytest.LogCaptureFixture
) -> None:
    fitted_by_earlier_rules(world)
    Path(registry.load(world.engine, NAME).reference_uri.removeprefix("file://")).unlink()
    world.predict(0)
    assert poll(world).chunks == 1
    assert registry.load(world.engine, NAME).spec_revision == 1
    assert "alerts by earlier rules, which may exceed the alert budget" in caplog.text
