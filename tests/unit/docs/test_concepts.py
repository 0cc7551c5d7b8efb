"""Two glossaries define each term of the field once, and every name they give exists in the code."""

import re
from pathlib import Path

import pytest

from tests.unit.docs.pages import ROOT, section
from tests.unit.docs.references import resolve

CONCEPTS = ROOT / "docs" / "concepts.md"
TERMS = ROOT / "docs" / "reference" / "terms.md"
PLANNED: set[str] = set()
NOUNS = (
    "alert", "analysis", "batch", "bounds", "chunk", "chunk revision", "client", "drift", "drift method", "estimate",
    "feature", "finding", "incident", "label", "ledger", "metric", "model", "model version", "monitor", "prediction",
    "realized performance", "reference", "result", "score", "segment", "source", "spec", "state", "threshold",
    "verdict",
)  # fmt: skip
VERBS = (
    "backtest", "claim", "compute", "derive", "evaluate", "fit", "ingest", "load", "merge", "poll", "register",
    "revise", "settle", "store", "summarize",
)  # fmt: skip
FURTHER_TERMS = (
    "alert budget", "allowed lateness", "archive", "backfill", "block", "blob", "calendar", "challenger", "champion",
    "channel", "closed", "component", "consumer", "coverage", "dead letter", "decided", "delivery",
    "detection threshold", "detector", "e-value", "effect floor", "evidence", "family", "fitted monitor",
    "label delay", "lasting drift", "lost column", "margin", "mass", "model clock", "no skill", "overdispersion",
    "part", "pending", "pending labels", "pool", "promote", "provisional", "publish", "relay", "reserve", "retention",
    "retraining", "role", "roll back", "run", "schedule", "shift", "slot", "Shiryaev-Roberts sum", "sketch", "spool",
    "stage", "subject", "summary", "tick", "tilt", "track record", "verdict event", "visible change", "weight",
    "withheld", "zone",
)  # fmt: skip
MOST_NOUNS, MOST_VERBS = 30, 15
"""How many words of each kind a newcomer has to learn from the first page."""


def definitions(text: str) -> list[tuple[str, str, str]]:
    """Return (term, meaning, code reference) of each definition."""
    return re.findall(r"^\| \*\*([^*]+)\*\* \| ([^|]*) \| ?([^|]*)\|$", text, re.MULTILINE)


def rows() -> list[tuple[str, str, str]]:
    """Return the definitions of both pages."""
    return [*definitions(CONCEPTS.read_text()), *definitions(TERMS.read_text())]


REFERENCES = [(term, reference) for term, _, references in rows() for reference in re.findall(r"`([^`]+)`", references)]


def test_every_term_is_defined_once() -> None:
    terms = [term for term, *_ in rows()]
    assert sorted(terms) == sorted({*NOUNS, *VERBS, *FURTHER_TERMS})


@pytest.mark.parametrize("page", [CONCEPTS, TERMS], ids=lambda page: page.name)
def test_every_row_of_a_table_is_a_definition(page: Path) -> None:
    lines = re.findall(r"^\|(?! Term |---).*$", page.read_text(), re.MULTILINE)
    assert len(lines) == len(definitions(page.read_text()))


def test_a_newcomer_learns_few_words() -> None:
    verbs = {term for term, *_ in definitions(section(CONCEPTS, "Verbs"))}
    nouns = {term for term, *_ in definitions(CONCEPTS.read_text())} - verbs
    assert (nouns, verbs) == ({*NOUNS}, {*VERBS})
    assert len(nouns) <= MOST_NOUNS
    assert len(verbs) <= MOST_VERBS
    assert f"The {len(nouns)} nouns and {len(verbs)} verbs" in CONCEPTS.read_text()


@pytest.mark.parametrize("title", re.findall(r"^## (.*)$", CONCEPTS.read_text(), re.MULTILINE))
def test_a_paragraph_uses_the_words_of_its_group_together(title: str) -> None:
    text = section(CONCEPTS, title)
    paragraph = " ".join(text.partition("\n| Term |")[0].split())
    used = {word.lower() for word in re.findall(r"\*([^*]+)\*", paragraph)}
    assert [term for term, *_ in definitions(text) if not {*forms(term)} & used] == []


def forms(term: str) -> list[str]:
    """Return the forms of a noun or a verb that a sentence may use."""
    return [term, f"{term}s", f"{term}es", f"{term}ed"]


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
