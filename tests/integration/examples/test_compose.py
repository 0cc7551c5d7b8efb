"""The compose file of the Titanic example, resolved by the specification's own loader."""

import json
import subprocess
from pathlib import Path

import pytest

from stack import paths
from stack.setup import tools

FOLDER = paths.ROOT / "examples" / "titanic"


def test_the_example_joins_the_services_with_least_rights() -> None:
    if reason := tools.reason_missing(tools.COMPOSE_SPEC):
        pytest.skip(reason)
    command = (str(tools.path(tools.COMPOSE_SPEC)), "-format", "json", "compose.yaml")
    completed = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=False)
    assert completed.returncode == 0, completed.stdout + completed.stderr
    model = json.loads(completed.stdout)
    (service,) = model["services"].values()
    assert service["profiles"] == ["titanic"]
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert (paths.ROOT / service["build"]["dockerfile"]).is_file()
    assert Path(service["build"]["context"]) == paths.ROOT
    assert [Path(model["secrets"][secret["source"]]["file"]).name for secret in service["secrets"]] == [
        "driftline_owner.password"
    ]
    assert {*service["networks"]} == {"shared-network"} <= {*model["networks"]}
