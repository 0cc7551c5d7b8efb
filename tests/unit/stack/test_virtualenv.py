"""A step of setting up is done while its file stays the same."""

from pathlib import Path

import pytest

from stack.errors import DownloadFailed
from stack.virtualenv import Step, run


def test_a_step_is_done_until_its_file_changes(tmp_path: Path) -> None:
    lock = tmp_path / "dev.lock"
    lock.write_text("a==1")
    step = Step("Packages", lock, tmp_path / "stamp")
    assert not step.is_done()
    step.finish()
    assert step.is_done()
    lock.write_text("a==2")
    assert not step.is_done()


def test_a_failed_command_is_named_with_its_words() -> None:
    with pytest.raises(DownloadFailed, match=r"`sh -c echo no network; exit 3` failed(.|\n)*no network"):
        run("sh", "-c", "echo no network; exit 3")
