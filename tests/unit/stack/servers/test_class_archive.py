import re
from pathlib import Path

import pytest

from stack import paths
from stack.servers import class_archive


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return tmp_path / "templates" / "kafka-1.jsa"


def written(options: tuple[str, ...]) -> bool:
    """Write what Java would write, and end."""
    Path(options[0].partition("=")[2]).write_text("classes")
    return True


def test_an_archive_is_made_once_and_read_from_then_on(archive: Path) -> None:
    assert class_archive.reading(archive) == ()
    class_archive.make(archive, written)
    class_archive.make(archive, lambda _: pytest.fail("it was made before"))
    assert archive.read_text() == "classes"
    assert class_archive.reading(archive)[0] == f"-XX:SharedArchiveFile={archive}"


def test_the_archive_of_a_killed_program_is_not_used(archive: Path) -> None:
    class_archive.make(archive, lambda options: not written(options))
    assert not archive.exists()
    class_archive.make(archive, written)
    assert archive.read_text() == "classes"


def test_a_java_that_writes_none_is_no_error(archive: Path) -> None:
    class_archive.make(archive, lambda _: True)
    assert class_archive.reading(archive) == ()


def test_other_jars_and_another_java_have_another_archive(tmp_path: Path) -> None:
    java = tmp_path / "java"
    java.touch()
    jars = [tmp_path / "jars", tmp_path / "other"]
    for folder in jars:
        folder.mkdir()
    names = {class_archive.archive_of("kafka", str(java), folder) for folder in jars}
    java.write_text("another")
    names |= {class_archive.archive_of("kafka", str(java), jars[0])}
    assert len(names) == 3
    assert all(re.fullmatch(r"kafka-[0-9a-f]{12}\.jsa", name.name) and name.parent == paths.TEMPLATES for name in names)
