"""Rules that no linter checks: text that no file may contain, and files that may not exist."""

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.docs.pages import ROOT, tracked

MACHINE_PATHS = re.compile(r"(?<![\w.])/(?:home|User[s]|roo[t]|wor[k])/(?!somebody\b)[\w.-]+")
REGISTRY_WORDS = (
    "gro.ipyp", "gro.detsohnohtyp", ".nevam.oper", ".nevam.1oper", "2nevam/gro.nevam", "lru-xedni--",
    "lru-xedni-artxe--", "yrotcafitra", "gorfj", " suxen", "rorrim<", ">yrotisoper<", ">seirotisoper<",
)  # fmt: skip
"""Hosts, options and settings of package registries, spelled backwards, so that this file passes its own rule."""
REGISTRIES = re.compile(
    "|".join(re.escape(word.strip()[::-1]) + r"\b" * (word[0] == " ") for word in REGISTRY_WORDS), re.IGNORECASE
)


def texts() -> Iterator[tuple[Path, str]]:
    for file in tracked():
        content = file.read_bytes()
        if b"\0" not in content[:8000]:
            yield file.relative_to(ROOT), content.decode("utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("pattern", [MACHINE_PATHS, REGISTRIES], ids=["machine paths", "registry addresses"])
def test_no_file_names_a_machine_or_a_registry(pattern: re.Pattern[str]) -> None:
    matches = [
        f"{file}:{number}: {match[0]}"
        for file, text in texts()
        for number, line in enumerate(text.splitlines(), 1)
        if (match := pattern.search(line))
    ]
    assert matches == []


@pytest.mark.parametrize("word", REGISTRY_WORDS)
def test_every_registry_word_is_recognized(word: str) -> None:
    assert REGISTRIES.search(f"see {word[::-1]} there")
    assert not REGISTRIES.search(word)


def test_the_folder_named_pyspark_is_no_package() -> None:
    assert not (ROOT / "pyspark" / "__init__.py").exists()
    assert "__init__.py" in (ROOT / "pyspark" / "README.md").read_text()
    library = importlib.util.find_spec("pyspark")
    assert library is not None
    assert library.origin is not None, "the folder hides the library"


def test_tests_are_no_package() -> None:
    assert [*(ROOT / "tests").rglob("__init__.py")] == []


def test_large_files_are_not_tracked() -> None:
    assert [file for file, size in ((file, file.stat().st_size) for file in tracked()) if size > 2_000_000] == []


def test_the_longest_integration_tests_are_where_the_list_says() -> None:
    """`make test-integration` starts them first; a file that has moved would start last."""
    conftest = (ROOT / "tests" / "integration" / "conftest.py").read_text()
    listed = re.search(r"^LONGEST = \((.*?)^\)", conftest, re.MULTILINE | re.DOTALL)
    assert listed
    places = re.findall(r'"([^"]+)"', listed[1])
    assert len(places) > 5
    assert [place for place in places if not (ROOT / "tests" / "integration" / place).exists()] == []
