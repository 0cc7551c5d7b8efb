"""Only a request for one small row of features is answered without a thread."""

import json

import pytest

from serving.web.requests import BRIEF_BYTES, read_brief_body

ROW = {"features": {"amount": 1.5}}


@pytest.mark.parametrize(("fields", "model"), [(ROW, None), ({**ROW, "model": "credit", "log": False}, "credit")])
def test_one_row_of_features_is_brief(fields: dict[str, object], model: str | None) -> None:
    read = read_brief_body("POST", "/predict", json.dumps(fields).encode())
    assert read == fields
    assert read.get("model") == model


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/predict", json.dumps(ROW)),
        ("POST", "/model", json.dumps(ROW)),
        ("POST", "/predict", json.dumps({"subscriber": "4915550001"})),
        ("POST", "/predict", json.dumps({**ROW, "rows": [ROW]})),
        ("POST", "/predict", json.dumps({**ROW, "model": 7})),
        ("POST", "/predict", json.dumps({"features": {"text": "x" * BRIEF_BYTES}})),
        ("POST", "/predict", "[1]"),
        ("POST", "/predict", '{"features"'),
        ("POST", "/predict", "[" * BRIEF_BYTES),
    ],
)
def test_everything_else_gets_a_thread(method: str, path: str, body: str) -> None:
    assert read_brief_body(method, path, body.encode()) is None
