"""The reason of a dead letter fits into its header."""

import pytest

from monitoring.ingest.dead_letters import LONGEST_REASON, _cut


@pytest.mark.parametrize("reason", ["é" * 1_500, "a" + "é" * 1_500, "ab€" * 900, "𝄞" * 600, "short", "a" * 3_000])
def test_a_reason_is_cut_between_characters(reason: str) -> None:
    text = _cut(reason).decode()
    assert reason.startswith(text)
    assert len(text.encode()) <= LONGEST_REASON
    assert text == reason or len(text.encode()) > LONGEST_REASON - 4


def test_half_of_a_surrogate_pair_does_not_keep_a_letter_back() -> None:
    assert _cut("an id \ud800") == b"an id ?"
