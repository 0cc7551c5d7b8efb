"""The report on the code's language lists what deserves a second look, and nothing else."""

import ast
from pathlib import Path

import pytest

from devtools.checks import language
from devtools.checks.language import CodePlace, Module, Section

LONG_BODY = "\n".join(f"    step_{number} = {number}" for number in range(11))


def module(text: str, file: str = "src/some.py") -> Module:
    return Module(file, ast.parse(text))


def test_a_class_defined_in_two_files_is_listed() -> None:
    first, second = module("class Run: ...\nclass Chunk: ...", "a.py"), module("class Run: ...", "b.py")
    assert language.repeated_classes([first, second]) == {"Run": [CodePlace("a.py", 1), CodePlace("b.py", 1)]}


@pytest.mark.parametrize(
    "text",
    [
        "found = 1",
        "def found(): ...",
        "def f(found): ...",
        "class Found: ...",
        "x.found = 1",
        "for _found in (): ...",
    ],
)
def test_every_way_to_define_a_filler_is_listed(text: str) -> None:
    assert [name.strip("_").lower() for name in language.filler_names([module(text)])] == ["found"]


def test_a_name_with_a_filler_in_it_and_a_use_are_not_listed() -> None:
    assert language.filler_names([module("founded = print(found)\nfound_rows = 1")]) == {}


@pytest.mark.parametrize("text", ["before, after = 1, 2", "class Sum:\n    def merge(self, other): ..."])
def test_a_word_of_a_pair_and_a_second_operand_are_clear(text: str) -> None:
    assert language.filler_names([module(text)]) == {}


@pytest.mark.parametrize("text", ["before = 1", "def merge(first, other): ...", "LEFT, right = 1, 2"])
def test_a_word_without_its_counterpart_is_listed(text: str) -> None:
    assert len(language.filler_names([module(text)])) == 1


def test_fillers_are_listed_most_frequent_first() -> None:
    assert [*language.filler_names([module("own = 1\ntold = 2\ntold = 3")])] == ["told", "own"]


def test_docstrings_that_begin_with_a_vague_verb_are_listed() -> None:
    text = 'def a():\n    """Give it."""\ndef b():\n    """Return it."""\ndef c():\n    """Given x, add."""'
    assert language.vague_docstrings([module(text)]) == [(CodePlace("src/some.py", 1), "Give it.")]


def test_a_long_function_needs_a_docstring() -> None:
    text = f'def silent():\n{LONG_BODY}\ndef described():\n    """Do it."""\n{LONG_BODY}\ndef short():\n    pass'
    assert language.undocumented_functions([module(text)]) == [(CodePlace("src/some.py", 1), "silent", 11)]


def test_a_test_needs_no_docstring() -> None:
    text = f"def test_something():\n{LONG_BODY}"
    assert language.undocumented_functions([module(text, "tests/unit/test_some.py")]) == []


def test_only_tests_have_their_names_measured() -> None:
    text = f"def test_{'x' * 56}(): ...\ndef test_{'y' * 55}(): ..."
    assert [name for _, name in language.long_test_names([module(text, "tests/test_a.py")])] == [f"test_{'x' * 56}"]
    assert language.long_test_names([module(text)]) == []


def test_a_subject_of_72_characters_is_short_enough() -> None:
    assert language.long_subjects(["a" * 72, "b" * 73]) == ["b" * 73]


def test_a_class_is_compared_with_the_whole_checkout() -> None:
    selected, unselected = module("class Run: ...", "a.py"), module("class Run: ...\nfound = 1", "b.py")
    report = language.sections([selected, unselected], [selected], [])
    assert [section.count for section in report] == [1, 0, 0, 0, 0, 0]
    assert report[0].lines == ["Run (2): a.py:1, b.py:1"]


def test_the_report_ends_with_its_numbers() -> None:
    report = [Section("Long names", ["a.py:1: x"], 1), Section("Others", [], 0)]
    assert language.report_of(report).splitlines()[-2:] == ["     1  Long names", "     0  Others"]
    assert "a.py:1" not in language.report_of(report, summary_only=True)


@pytest.mark.slow
def test_the_command_reports_on_a_folder_and_never_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert language.main(["--summary", str(Path(language.__file__).parent)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 6
