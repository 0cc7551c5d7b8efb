"""The search for known secrets misses none: tests of logs and images depend on it."""

from pathlib import Path

import pytest

from tests.known_values import CHUNK, files_with


@pytest.mark.parametrize("preceding", [0, CHUNK - 5, CHUNK, 2 * CHUNK - 1])
def test_a_value_is_found_wherever_it_lies(preceding: int, tmp_path: Path) -> None:
    values, file = ["first " * 7, "second " * 6, "short"], tmp_path / "server.bin"
    file.write_bytes(b"\0" * preceding + values[1].encode() + b"\0" * 100)
    assert files_with(values, [file]) == [(file, 1)]


def test_an_empty_value_is_refused_rather_than_found_everywhere(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="empty"):
        files_with(["x", ""], [tmp_path])
