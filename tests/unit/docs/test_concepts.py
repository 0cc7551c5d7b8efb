"""The glossary defines each term of the field once, and every name it gives exists in the code."""

import re

import pytest

from tests.unit.docs.pages import ROOT
from tests.unit.docs.references import resolve

PAGE = ROOT / "docs" / "concepts.md"
PLANNED: set[str] = set()
NOUNS = (
    "alert", "alert budget", "allowed lateness", "analysis", "archive", "backfill", "batch", "bounds", "calendar",
    "challenger", "champion", "channel", "chunk", "chunk revision", "closed", "consumer", "coverage", "dead letter",
    "delivery", "detector", "drift", "drift method", "effect floor", "estimate", "evidence", "feature", "finding",
    "incident", "label", "label delay", "lasting drift", "ledger", "metric", "model", "model clock", "model version",
    "no skill", "pending", "pending labels", "prediction", "provisional", "realized performance", "reference",
    "relay", "result", "retention", "retraining", "role", "run", "schedule", "score", "segment", "sketch", "source",
    "spec", "spool", "state", "subject", "summary", "threshold", "track record", "verdict", "verdict event",
    "visible change", "zone",
)  # fmt: skip
VERBS = (
    "backtest", "claim", "compute", "derive", "evaluate", "fit", "ingest", "load", "merge", "poll", "promote",
    "publish", "register", "revise", "roll back", "settle", "store", "summarize",
)  # fmt: skip


def rows() -> list[tuple[str, str, str]]:
    """Return (term, meaning, code reference) of each definition."""
    return re.findall(r"^\| \*\*([^*]+)\*\* \| ([^|]*) \| ?([^|]*)\|$", PAGE.read_text(), re.MULTILINE)


REFERENCES = [(term, reference.strip().strip("`")) for term, _, reference in rows() if term not in PLANNED]


def test_every_term_is_defined_once() -> None:
    terms = [term for term, *_ in rows()]
    assert sorted(terms) == sorted({*NOUNS, *VERBS})


def test_a_meaning_is_one_sentence() -> None:
    meanings = {term: meaning for term, meaning, _ in rows()}
    assert [term for term, meaning in meanings.items() if not re.fullmatch(r"[A-Z][^.]*\.", meaning)] == []


@pytest.mark.parametrize(("term", "reference"), REFERENCES, ids=[term for term, _ in REFERENCES])
def test_the_code_reference_of_a_term_exists(term: str, reference: str) -> None:
    assert reference.startswith(("driftline", "monitoring.", "flaskapp.", "serving.")), term
    resolve(reference)


def test_a_planned_term_has_no_code_yet() -> None:
    assert {term for term, _, reference in rows() if not reference.strip()} == PLANNED
