"""The verdicts of all chunks side by side. No I/O here."""

from collections.abc import Sequence
from dataclasses import dataclass

from driftline.engine.results import State
from driftline.report.view import ChunkView
from driftline.report.wording import MOST_SEVERE_FIRST, STATE_WORDS


@dataclass(frozen=True, slots=True)
class StripCell:
    """The verdict of one place: its state, its sign, and its reason in words; `anchor` is a link within the page."""

    state: State
    sign: str
    provisional: bool
    words: str
    anchor: str = ""


def strip_cell(label: str, chunks: Sequence[ChunkView], anchor: str = "") -> StripCell:
    """Return the cell of a place; of several chunks it shows the most severe verdict."""
    verdict = min((chunk.verdict for chunk in chunks), key=lambda verdict: MOST_SEVERE_FIRST.index(verdict.state))
    state_words = STATE_WORDS[verdict.state]
    provisional = ", provisional" if verdict.provisional else ""
    words = f"{label}: {state_words.word}{provisional}. {verdict.reasons[0] if verdict.reasons else ''}".rstrip()
    return StripCell(verdict.state, state_words.sign, verdict.provisional, words, anchor)


def count_states(chunks: Sequence[ChunkView]) -> list[tuple[State, int]]:
    """Return the number of chunks with each state, the most severe first."""
    states = [chunk.verdict.state for chunk in chunks]
    return [(state, states.count(state)) for state in MOST_SEVERE_FIRST if state in states]
