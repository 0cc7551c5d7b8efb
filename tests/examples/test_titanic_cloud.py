"""What is deployed to a cloud: the Cloud Function and the Lambda function run here; the template is created on moto."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from driftline.artifacts.loading import load_scorer
from stack import paths
from stack.servers.ports import any_free
from stack.servers.readiness import wait_until_ready
from tests.examples.lambda_runtime import lambda_runtime
from tests.examples.runs import CLOUD, PASSENGER, Example

TEMPLATE = CLOUD / "cloudformation.yaml"
CREATE = Path(__file__).with_name("moto_stack.py")
AT = "2012-05-29T18:00:00+00:00"
SECONDS = 60


def settings(titanic: Example) -> dict[str, str]:
    """Return the environment of a function that logs to the example's monitor."""
    return {
        **os.environ,
        "MODEL_ADDRESS": str(titanic.var / "titanic" / "model"),
        "LOG_TO": f"http://127.0.0.1:{titanic.isolated.site.ports['monitor']}",
        "PYTHONPATH": str(paths.ROOT / "src"),
        "TMPDIR": str(titanic.var),
    }


def expected(titanic: Example) -> float | None:
    return load_scorer(str(titanic.var / "titanic" / "model")).score([PASSENGER])[0].score


def newest_batch(titanic: Example) -> dict[str, Any]:
    """Return the newest entry of the monitor's ingest log."""
    answer = titanic.isolated.call("monitor", "GET", "/api/v1/models/titanic/ingest?most=1")
    entry: dict[str, Any] = answer.json()["entries"][0]
    return entry


@contextmanager
def running(command: tuple[str, ...], environment: dict[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a program while the context lasts."""
    process = subprocess.Popen(command, cwd=CLOUD, env=environment)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(SECONDS)


def ended(process: "subprocess.Popen[bytes]", seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def answers(address: str) -> bool:
    try:
        return requests.get(address, timeout=5).status_code > 0
    except requests.RequestException:
        return False


def test_the_cloud_function_predicts_and_logs(titanic: Example, cloud_environment: Path, tmp_path: Path) -> None:
    port = any_free()
    address = f"http://127.0.0.1:{port}"
    program = str(cloud_environment / "functions-framework")
    command = (program, "--source", "main.py", "--target", "predict", "--host", "127.0.0.1", "--port", str(port))
    with running(command, settings(titanic)) as process:
        wait_until_ready(
            "The function",
            lambda: answers(address),
            lambda seconds: ended(process, seconds),
            tmp_path / "log",
            SECONDS,
        )
        answer = requests.post(address, json={"id": "function-1", "at": AT, "features": PASSENGER}, timeout=SECONDS)
        assert (answer.status_code, answer.json()["id"]) == (200, "function-1")
        assert answer.json()["score"] == pytest.approx(expected(titanic))
        batch = newest_batch(titanic)
        assert (batch["kind"], batch["new"]) == ("predictions", 1)
        refused = requests.post(address, json={"features": {"sex": "female"}}, timeout=SECONDS)
        assert refused.status_code == 400
        assert "passenger_class, embarked, age" in refused.json()["error"]["message"]


def test_the_lambda_function_predicts_and_logs(titanic: Example, cloud_environment: Path) -> None:
    event = {"version": "2.0", "body": json.dumps({"id": "lambda-1", "at": AT, "features": PASSENGER})}
    command = (str(cloud_environment / "python"), "-m", "awslambdaric", "main.handler")
    with lambda_runtime(event) as (address, responses, answered):
        with running(command, settings(titanic) | {"AWS_LAMBDA_RUNTIME_API": address}):
            assert answered.wait(SECONDS)
        (response,) = responses
    assert response["statusCode"] == 200, response
    assert json.loads(response["body"])["score"] == pytest.approx(expected(titanic))
    batch = newest_batch(titanic)
    assert (batch["kind"], batch["new"]) == ("predictions", 1)


def lint(template: Path, programs: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run((str(programs / "cfn-lint"), str(template)), capture_output=True, text=True, check=False)


def test_the_template_is_valid(cloud_environment: Path, tmp_path: Path) -> None:
    valid = lint(TEMPLATE, cloud_environment)
    assert valid.returncode == 0, valid.stdout
    misspelt = tmp_path / "misspelt.yaml"
    misspelt.write_text(TEMPLATE.read_text().replace("MemorySize:", "MemorySiz:"))
    assert "MemorySiz" in lint(misspelt, cloud_environment).stdout


def test_the_stack_is_created_with_service_and_function(cloud_environment: Path) -> None:
    command = (str(cloud_environment / "python"), "-W", "ignore", str(CREATE), str(TEMPLATE))
    created = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert (created["state"], created["count"]) == ("CREATE_COMPLETE", 2)
    assert created["environment"]["SERVING_MODEL"] == "titanic"
    assert created["secrets"] == ["DB_PASSWORD", "DRIFTLINE_TOKEN"]
    assert created["function"]["Variables"]["MODEL_ADDRESS"] == "s3://models/artifacts/titanic"
