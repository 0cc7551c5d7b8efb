"""The glossary defines each term of the field once, and every name it gives exists in the code."""

import re

import pytest

from tests.unit.docs.pages import ROOT
from tests.unit.docs.references import resolve

PAGE = ROOT / "docs" / "concepts.md"
PLANNED: set[str] = set()
NOUNS = (
    "alert", "alert budget", "allowed lateness", "analysis", "archive", "backfill", "batch", "block", "bounds",
    "calendar", "challenger", "champion", "channel", "chunk", "chunk revision", "client", "closed", "component",
    "consumer", "coverage", "dead letter", "decided", "delivery", "detection threshold", "detector", "drift",
    "drift method", "e-value", "effect floor", "estimate", "evidence", "family", "feature", "finding",
    "fitted monitor", "incident", "label", "label delay", "lasting drift", "ledger", "lost column", "margin",
    "mass", "metric", "model", "model clock", "model version", "monitor", "no skill", "overdispersion", "pending",
    "pending labels",
    "pool", "prediction", "provisional", "realized performance", "reference", "relay", "reserve", "result",
    "retention", "retraining", "role", "run", "schedule", "score", "segment", "shift", "Shiryaev-Roberts sum",
    "sketch", "source", "spec", "spool", "stage", "state", "subject", "summary", "threshold", "tilt", "track record",
    "verdict", "verdict event", "visible change", "weight", "withheld", "zone",
)  # fmt: skip
VERBS = (
    "backtest", "claim", "compute", "derive", "evaluate", "fit", "ingest", "load", "merge", "poll", "promote",
    "publish", "register", "revise", "roll back", "settle", "store", "summarize",
)  # fmt: skip


def rows() -> list[tuple[str, str, str]]:
    """Return (term, meaning, code reference) of each definition."""
    return re.findall(r"^\| \*\*([^*]+)\*\* \| ([^|]*) \| ?([^|]*)\|$", PAGE.read_text(), re.MULTILINE)


REFERENCES = [(term, reference) for term, _, references in rows() for reference in re.findall(r"`([^`]+)`", references)]


def test_every_term_is_defined_once() -> None:
    terms = [term for term, *_ in rows()]
    assert sorted(terms) == sorted({*NOUNS, *VERBS})


def test_a_meaning_is_one_sentence() -> None:
    meanings = {term: meaning for term, meaning, _ in rows()}
    assert [
        term for term, meaning in meanings.items() if not re.fullmatch(r"[A-Z](?:[^.]|\.(?=[\da-z]))*\.", meaning)
    ] == []


@pytest.mark.parametrize(
    ("term", "reference"), REFERENCES, ids=[f"{term}-{reference.rpartition('.')[2]}" for term, reference in REFERENCES]
)
def test_the_code_reference_of_a_term_exists(term: str, reference: str) -> None:
    assert reference.startswith(("driftline", "monitoring.", "flaskapp.", "serving.")), term
    resolve(reference)


def test_a_planned_term_has_no_code_yet() -> None:
    assert {term for term, _, reference in rows() if not reference.strip()} == PLANNED
