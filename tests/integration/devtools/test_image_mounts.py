"""A builder leaves nothing mounted, whatever a killed build has left."""

from pathlib import Path

import pytest

from devtools.packaging.images import Builder, reason_missing

pytestmark = pytest.mark.skipif(reason_missing() is not None, reason=f"cannot build images: {reason_missing()}")


def mounts_below(folder: Path) -> list[str]:
    places = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    return [place for place in places if place.startswith(f"{folder}/")]


def test_release_unmounts_what_a_killed_build_has_left(tmp_path: Path) -> None:
    builder = Builder(tmp_path / "images")
    builder.folder.mkdir()
    container = builder._buildah("from", "scratch").strip()
    builder._buildah("mount", container)
    assert any(place.endswith("/merged") for place in mounts_below(tmp_path))
    builder.release()
    assert mounts_below(tmp_path) == []
    builder.release()
