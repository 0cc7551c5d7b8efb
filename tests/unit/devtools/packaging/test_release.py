import zipfile
from pathlib import Path

import pytest

from devtools.packaging import release
from devtools.packaging.release import NotReleasable
from stack import paths

CHANGELOG = """# Changelog

## 0.2.0 (unreleased)
- What comes.

## 0.1.0 (2026-11-30)
- A line.
- Another.
"""


def test_the_notes_are_the_versions_own_part() -> None:
    assert release.notes_of("0.1.0", CHANGELOG, released=True) == "- A line.\n- Another.\n"
    assert release.notes_of("0.2.0", CHANGELOG, released=False) == "- What comes.\n"


@pytest.mark.parametrize(("version", "message"), [("0.2.0", "calls 0.2.0 unreleased"), ("0.3.0", "has nothing under")])
def test_a_version_without_a_day_or_notes_is_not_released(version: str, message: str) -> None:
    with pytest.raises(NotReleasable, match=message):
        release.notes_of(version, CHANGELOG, released=True)


def test_the_tag_is_the_version() -> None:
    release.check_tag("v0.1.0", "0.1.0")
    with pytest.raises(NotReleasable, match=r"tag v0\.1\.0"):
        release.check_tag("v0.1.1", "0.1.0")


def test_this_tree_has_notes_for_its_version() -> None:
    changelog = (paths.ROOT / "CHANGELOG.md").read_text()
    assert release.notes_of(release.version(), changelog, released=False)


def test_a_wheel_that_lacks_a_file_is_refused(tmp_path: Path) -> None:
    wheel = tmp_path / "driftline-0.1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("driftline/__init__.py", "")
        archive.writestr("driftline-0.1.0.dist-info/METADATA", "")
        archive.writestr("foreign.py", "")
    with pytest.raises(NotReleasable, match=r"lacks \[.*driftline/backtesting/.*has \['foreign.py'\]"):
        release.check_wheel(wheel)
