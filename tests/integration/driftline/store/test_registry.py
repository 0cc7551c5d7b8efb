"""Registering a version: once, with its reference frozen, its tables made, its spec revised."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine, select

from driftline.engine.catalogue import ColumnKind
from driftline.engine.spec import ColumnSpec, Period, Spec
from driftline.errors import Conflict, InvalidInput, NotFound
from driftline.objects import StoreUnavailable, open_store
from driftline.store.database import in_transaction
from driftline.store.model_numbers import ensure_model, model_number
from driftline.store.tables import pending_chunks
from driftline.store.versions import registry
from driftline.store.versions.references import read_reference

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
SPEC = Spec(columns=(ColumnSpec(name="minutes"),), minimum_rows=20, minimum_class_rows=2)


def reference(features: tuple[str, ...] = ("minutes",)) -> pd.DataFrame:
    """Return 800 calibrated rows of 8 days with these features."""
    rng = np.random.default_rng(7)
    score = rng.uniform(0.05, 0.95, 800)
    frame = pd.DataFrame(
        {
            "event_time": pd.date_range("2026-01-01", periods=8, freq="D", tz="UTC").repeat(100),
            "id": [str(n) for n in range(800)],
            "probability_1": score,
            "probability_0": 1 - score,
            "prediction": (score > 0.5).astype(int),
            "label": (rng.uniform(size=800) < score).astype(int),
        }
    )
    return frame.assign(**{name: rng.normal(size=800) for name in features})


def candidate(name: str = "flights", spec: Spec = SPEC, training_hash: str = "a" * 64) -> registry.Candidate:
    return registry.Candidate(name, spec, training_hash, reference(spec.features), None, {"f1": 0.5})


def test_a_registered_version_is_loaded_as_it_was(engine: Engine, tmp_path: Path) -> None:
    assert registry.register(engine, candidate(), open_store(tmp_path), NOW) == 1
    loaded = registry.load(engine, "flights")
    assert (loaded.number, loaded.spec_revision, loaded.spec, loaded.model_number) == (1, 1, SPEC, 1)
    assert loaded.fitted.content_hash == loaded.reference_hash
    assert loaded.details == {"f1": 0.5}
    pd.testing.assert_frame_equal(pd.read_parquet(loaded.reference_uri), reference())


def test_each_training_is_one_version(engine: Engine, tmp_path: Path) -> None:
    for _ in range(2):
        assert registry.register(engine, candidate(), open_store(tmp_path), NOW) == 1
    assert registry.register(engine, candidate(training_hash="b" * 64), open_store(tmp_path), NOW) == 2
    with engine.connect() as connection:
        assert registry.versions(connection) == [("flights", 1), ("flights", 2)]


def test_a_second_version_may_have_other_columns(engine: Engine, tmp_path: Path) -> None:
    registry.register(engine, candidate(), open_store(tmp_path), NOW)
    other = Spec(columns=(ColumnSpec(name="hours"),), minimum_rows=20, minimum_class_rows=2)
    assert registry.register(engine, candidate(spec=other, training_hash="b" * 64), open_store(tmp_path), NOW) == 2
    assert registry.load(engine, "flights", 1).spec.features == ("minutes",)
    store = registry.load(engine, "flights").store
    rows = reference(("hours",)).assign(model_version=2, scored_at=pd.Timestamp(NOW)).drop(columns="label")
    in_transaction(engine, lambda connection: store.write(connection, "p/1", rows, NOW))
    with engine.connect() as connection:
        read = store.read(connection, 2, NOW - timedelta(days=31), NOW)
    assert sorted(read["hours"]) == sorted(rows["hours"])


def test_a_short_reference_is_refused(engine: Engine, tmp_path: Path) -> None:
    weekly = candidate(spec=SPEC.model_copy(update={"period": Period.WEEK}))
    with pytest.raises(InvalidInput, match="2 chunks of 1w, and 8 are needed"):
        registry.register(engine, weekly, open_store(tmp_path), NOW)


def test_a_spec_revision_keeps_the_columns(engine: Engine, tmp_path: Path) -> None:
    registry.register(engine, candidate(), open_store(tmp_path), NOW)
    other = SPEC.model_copy(update={"columns": (ColumnSpec(name="minutes", kind=ColumnKind.CATEGORICAL),)})
    with pytest.raises(Conflict, match="keeps the model's problem, classes and columns"):
        registry.revise_spec(engine, "flights", 1, other, NOW)


def test_earlier_predictions_are_queued_when_a_version_is_ready(engine: Engine, tmp_path: Path) -> None:
    registry.register(engine, candidate(), open_store(tmp_path), NOW)
    store = registry.load(engine, "flights").store
    early = reference().assign(model_version=2, scored_at=pd.Timestamp(NOW)).drop(columns="label")
    in_transaction(engine, lambda connection: store.write(connection, "p/1", early, NOW))
    registry.register(engine, candidate(training_hash="b" * 64), open_store(tmp_path), NOW)
    with engine.connect() as connection:
        queued = connection.execute(select(pending_chunks.c.model_version)).scalars().all()
    assert queued == [2] * 8


@pytest.mark.parametrize("bucket", ["gcs_bucket", "s3_bucket"])
def test_a_reference_in_a_bucket_is_stored_and_loaded(
    engine: Engine, bucket: str, request: pytest.FixtureRequest
) -> None:
    objects = open_store(f"{request.getfixturevalue(bucket)}/driftline")
    registry.register(engine, candidate(), objects, NOW)
    loaded = registry.load(engine, "flights")
    assert loaded.reference_uri.startswith(f"{objects.address}/references/flights/")
    pd.testing.assert_frame_equal(read_reference(loaded.reference_uri), reference())
    revised = loaded.spec.model_copy(update={"label_delay": timedelta(days=9)})
    assert registry.revise_spec(engine, "flights", 1, revised, NOW) == 2
    assert registry.load(engine, "flights").fitted.content_hash == loaded.reference_hash


@pytest.mark.parametrize("name", ["", "Churn", "churn ", "chürn", "\ud83e", "\U0001f944", "a\0b", "a" * 1000])
def test_a_name_that_is_nearly_a_models_is_none(engine: Engine, name: str) -> None:
    in_transaction(engine, lambda connection: ensure_model(connection, "churn", NOW))
    with pytest.raises(NotFound, match="Registered: churn"):
        registry.load(engine, name)


def test_an_unknown_model_lists_those_there_are(engine: Engine) -> None:
    in_transaction(engine, lambda connection: ensure_model(connection, "churn", NOW))
    with pytest.raises(NotFound, match="Registered: churn"):
        registry.load(engine, "flight")
    with pytest.raises(NotFound, match="Ready: none"):
        registry.load(engine, "churn")


def test_a_new_spec_is_a_revision_and_queues_every_chunk(engine: Engine, tmp_path: Path) -> None:
    registry.register(engine, candidate(), open_store(tmp_path), NOW)
    store = registry.load(engine, "flights").store
    rows = reference().assign(model_version=1, scored_at=pd.Timestamp(NOW)).drop(columns="label")
    in_transaction(engine, lambda connection: store.write(connection, "p/1", rows, NOW))
    stricter = SPEC.model_copy(update={"minimum_rows": 50})
    assert registry.revise_spec(engine, "flights", 1, stricter, NOW) == 2
    assert registry.revise_spec(engine, "flights", 1, stricter, NOW) == 2
    assert registry.load(engine, "flights").spec == stricter
    with engine.connect() as connection:
        assert len(connection.execute(select(pending_chunks)).all()) == 8


def test_a_model_keeps_its_number(engine: Engine, tmp_path: Path) -> None:
    numbers = [
        in_transaction(engine, lambda connection, name=name: ensure_model(connection, name, NOW))  # type: ignore[misc]
        for name in ("first", "flights", "flights", "first")
    ]
    assert numbers == [1, 2, 2, 1]
    registry.register(engine, candidate(), open_store(tmp_path), NOW)
    with engine.connect() as connection:
        assert model_number(connection, "flights") == registry.load(engine, "flights").model_number == 2


def test_a_version_is_not_ready_before_its_reference_is_stored(engine: Engine, tmp_path: Path) -> None:
    blocked = tmp_path / "references"
    blocked.write_text("not a folder")
    with pytest.raises(StoreUnavailable):
        registry.register(engine, candidate(), open_store(tmp_path), NOW)
    with pytest.raises(NotFound, match="Ready: none"):
        registry.load(engine, "flights")
    blocked.unlink()
    assert registry.register(engine, candidate(), open_store(tmp_path), NOW) == 1
    assert registry.load(engine, "flights").number == 1


@pytest.mark.parametrize("name", ["größe m²", "SELECT", "a,b", "model", "position", "x" * 255])
def test_features_may_have_any_name(engine: Engine, tmp_path: Path, name: str) -> None:
    spec = Spec(columns=(ColumnSpec(name=name),), minimum_rows=20, minimum_class_rows=2)
    registry.register(engine, candidate(spec=spec), open_store(tmp_path), NOW)
    store = registry.load(engine, "flights").store
    rows = reference((name,)).assign(model_version=1, scored_at=pd.Timestamp(NOW)).drop(columns="label")
    in_transaction(engine, lambda connection: store.write(connection, "p/1", rows, NOW))
    with engine.connect() as connection:
        read = store.read(connection, 1, NOW - timedelta(days=31), NOW)
    assert sorted(read[name]) == sorted(rows[name])


def test_a_name_that_is_too_long_is_refused(engine: Engine, tmp_path: Path) -> None:
    spec = Spec(columns=(ColumnSpec(name="x" * 256),), minimum_rows=20, minimum_class_rows=2)
    with pytest.raises(InvalidInput, match="at most 255 characters"):
        registry.register(engine, candidate(spec=spec), open_store(tmp_path), NOW)
