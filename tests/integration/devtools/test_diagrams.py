"""PlantUML reads every diagram, draws the same bytes twice, and the committed pictures say what the sources say."""

import re
import shutil
from pathlib import Path

import pytest

from devtools.documentation import diagrams

PNG = b"\x89PNG\r\n"


def words(svg: Path) -> list[str]:
    """Return a picture's words, sorted: where they stand depends on the machine's fonts, what they are does not."""
    return sorted(" ".join(re.findall(r"<text[^>]*>([^<]*)</text>", svg.read_text(encoding="utf-8"))).split())


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every diagram as SVG, drawn here."""
    into: Path = tmp_path_factory.mktemp("drawn")
    diagrams.render(diagrams.sources(), "svg", into)
    return into


def test_every_committed_picture_says_what_its_source_says(drawn: Path) -> None:
    for source in diagrams.sources():
        assert words(diagrams.rendered(source, "svg")) == words(drawn / f"{source.stem}.svg"), source.name


def test_a_picture_names_fonts_of_the_width_it_was_drawn_for(drawn: Path) -> None:
    for picture in drawn.iterdir():
        families = {*re.findall(r'font-family="([^"]*)"', picture.read_text(encoding="utf-8"))}
        assert families == {diagrams.FONTS}, picture.name


def test_drawn_elsewhere_the_bytes_are_the_same(drawn: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "another place"
    shutil.copytree(diagrams.FOLDER, elsewhere, ignore=shutil.ignore_patterns("rendered"))
    again = elsewhere / "rendered"
    again.mkdir()
    diagrams.render(diagrams.sources(elsewhere), "svg", again)
    assert {path.name: path.read_bytes() for path in again.iterdir()} == {
        path.name: path.read_bytes() for path in drawn.iterdir()
    }


def test_an_outdated_picture_is_drawn_anew_and_no_other(tmp_path: Path) -> None:
    folder = tmp_path / "diagrams"
    shutil.copytree(diagrams.FOLDER, folder)
    source = folder / "context.puml"
    source.write_text(source.read_text().replace("title ", "title Changed: "))
    assert diagrams.update(folder) == [source]
    assert "Changed:" in diagrams.rendered(source, "svg").read_text(encoding="utf-8")
    assert diagrams.rendered(source, "png").read_bytes().startswith(PNG)
    assert diagrams.update(folder) == []


def test_an_error_in_a_diagram_is_reported_with_its_line(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.puml"
    wrong.write_text("@startuml wrong\nactor a\nthis is not a diagram\n@enduml\n")
    into = tmp_path / "drawn"
    into.mkdir()
    with pytest.raises(diagrams.NotDrawn, match=r"line 3.*wrong\.puml"):
        diagrams.render([wrong], "png", into)
    assert list(into.iterdir()) == []
