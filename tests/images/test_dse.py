"""The image of the stock index example: it runs beside the container of the monitor, and a broker."""

import re
from dataclasses import replace

import pytest

from driftline.clock import utc_now
from driftline.http.authorization import tokens
from driftline.http.authorization.scopes import Scope
from stack.containers import secrets as container_secrets
from stack.servers import ports
from tests.examples.runs import verdicts
from tests.images.conftest import ImageServers, running
from tests.integration.examples.test_compose import resolved

pytestmark = pytest.mark.timeout(2400)  # the first build of all images takes minutes
SCOPES = frozenset({Scope.READ, Scope.OPERATE, Scope.INGEST})


def test_the_example_predicts_each_day_and_finds_the_other_regime(world: ImageServers) -> None:
    file = container_secrets.token_file(world.secrets)
    authorized = {"DRIFTLINE_TOKEN": tokens.create(file, "dse", SCOPES, utc_now())}
    file.chmod(0o644)
    assert world.step("provision").returncode == 0
    port = ports.any_free()
    servers = {"EXAMPLES_MONITOR": f"http://127.0.0.1:{port}", "EXAMPLES_KAFKA": world.bootstrap_servers}
    with running(world.contained("monitor", MONITOR_HOST="127.0.0.1", MONITOR_PORT=str(port)), port):
        completed = replace(world, model=resolved("dse")).contained("dse", **servers, **authorized).run()
    assert completed.returncode == 0, completed.stdout[-3000:] + completed.stderr[-3000:]
    assert re.search(r"^\d,\d{3} days sent to dse_index_data", completed.stdout, re.MULTILINE)
    assert {"ok", "alert"} <= {*dict(verdicts(completed.stdout, r"\d{4}")).values()}
