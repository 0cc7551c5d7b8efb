"""The lines that a model's page shows are Python that calls the client."""

import ast
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from unittest.mock import sentinel

import pytest

from driftline.client import Monitor
from driftline.engine.catalogue import ColumnKind, Problem
from driftline.engine.results import EVENT_TIME
from driftline.engine.spec import ColumnSpec, Spec
from driftline.store.versions.model_layout import ModelLayout
from driftline.store.versions.registry import Version
from monitoring.pages.registration.client_snippet import client_snippet

COLUMNS = (ColumnSpec(name="amount"), ColumnSpec(name="land", kind=ColumnKind.CATEGORICAL))


@pytest.mark.parametrize(
    ("spec", "call"),
    [
        (Spec(columns=COLUMNS), "prediction=1, score=0.9"),
        (Spec(columns=COLUMNS, problem=Problem.REGRESSION), "prediction=12.5)"),
        (Spec(columns=COLUMNS, problem=Problem.MULTICLASS, classes=("a", "b")), "score={'a': 0.5, 'b': 0.5}"),
    ],
)
def test_the_lines_call_the_client_with_the_users_columns(spec: Spec, call: str) -> None:
    layout = replace(ModelLayout.canonical(spec), sources={EVENT_TIME: "at", "amount": "Amount, €", "land": "land"})
    details: dict[str, Any] = {}
    version = Version(
        1, "churn", 1, 1, spec, sentinel.fitted, None, "", "", details, datetime(2026, 5, 1, tzinfo=UTC), layout
    )
    python = client_snippet(version, "http://monitor:5001").python
    assert "{'Amount, €': 0.0, 'land': 'value'}" in python
    assert call in python
    calls = [node.func.attr for node in ast.walk(ast.parse(python))
             if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]  # fmt: skip
    assert calls
    assert all(hasattr(Monitor, name) for name in calls)
