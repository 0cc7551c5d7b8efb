"""A picture is outdated when its source, what that includes, PlantUML or the picture itself is another."""

from collections.abc import Callable
from pathlib import Path

import pytest

from devtools.documentation import diagrams
from stack.setup import checksums

Change = Callable[[Path], object]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of two sources, one of which includes a file, with pictures and a manifest that fits."""
    committed = tmp_path / "checksums.txt"
    committed.write_text(f"{'0' * 64}  plantuml/plantuml.jar\n")
    monkeypatch.setattr(checksums, "COMMITTED", committed)
    diagrams_folder = tmp_path / "diagrams"
    (diagrams_folder / "rendered").mkdir(parents=True)
    (diagrams_folder / "style.iuml").write_text("hide stereotype\n")
    (diagrams_folder / "plain.puml").write_text("@startuml plain\n@enduml\n")
    (diagrams_folder / "styled.puml").write_text("@startuml styled\n!include style.iuml\n@enduml\n")
    for source in diagrams.sources(diagrams_folder):
        for kind in diagrams.FORMATS:
            diagrams.rendered(source, kind).write_bytes(source.stem.encode())
    assert diagrams.outdated(diagrams_folder) == diagrams.sources(diagrams_folder)
    diagrams.record(diagrams_folder)
    return diagrams_folder


def names(folder: Path) -> list[str]:
    return [source.stem for source in diagrams.outdated(folder)]


def test_pictures_of_the_present_sources_are_not_drawn_again(folder: Path) -> None:
    manifest = (folder / "rendered" / diagrams.MANIFEST).read_text()
    assert diagrams.update(folder) == []
    assert (folder / "rendered" / diagrams.MANIFEST).read_text() == manifest


@pytest.mark.parametrize(
    ("change", "outdated"),
    [
        (lambda folder: (folder / "plain.puml").write_text("@startuml plain\ntitle New\n@enduml\n"), ["plain"]),
        (lambda folder: (folder / "style.iuml").write_text("hide footbox\n"), ["styled"]),
        (lambda folder: (folder / "rendered" / "plain.svg").write_text("by hand"), ["plain"]),
        (lambda folder: (folder / "rendered" / "styled.png").unlink(), ["styled"]),
        (lambda folder: (folder / "rendered" / diagrams.MANIFEST).unlink(), ["plain", "styled"]),
        (lambda folder: (folder / "new.puml").write_text("@startuml new\n@enduml\n"), ["new"]),
        (lambda _: checksums.COMMITTED.write_text(f"{'1' * 64}  plantuml/plantuml.jar\n"), ["plain", "styled"]),
    ],
    ids=["source", "include", "picture", "no picture", "no manifest", "new source", "another PlantUML"],
)
def test_what_another_thing_was_drawn_from_is_outdated(folder: Path, change: Change, outdated: list[str]) -> None:
    change(folder)
    assert names(folder) == outdated


def test_what_no_source_has_is_removed(folder: Path) -> None:
    (folder / "plain.puml").unlink()
    assert [path.name for path in diagrams.strays(folder)] == ["plain.png", "plain.svg"]
    diagrams.update(folder)
    assert diagrams.strays(folder) == []
    assert {*diagrams.recorded(folder)} == {"styled.puml", "styled.svg", "styled.png"}
