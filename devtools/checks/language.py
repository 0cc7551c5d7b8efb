"""`python -m devtools.checks.language [PATH...]`: places where the code's language deserves a second look.

Lists, for the Python files under the paths (default: the whole checkout): class names that are defined more than
once, identifiers that are pronouns, participles or fillers, docstrings that begin with "Give" or "Say", long functions
without a docstring, and long test names; for the whole checkout also long commit subjects. It is a report to read, not
a check: it always ends with exit status 0.
"""

import argparse
import ast
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from devtools.git_files import tracked_files
from stack import paths

_FILLERS = """
allowed around asked before beside came chosen done everything found given gone good got held here it kept known
left like made me meant mine much needed nothing one ones other others own ours put rest said seen shown so some
someone something strange such taken that them then there these they thing things this those told us used wanted way
what whole whose
"""
FILLERS = frozenset(_FILLERS.split())
"""Words that do not say what a value is."""
PAIRS = {"before": "after", "left": "right"}
"""Fillers that are clear in a module that defines their counterpart too."""
VAGUE_DOCSTRING_VERBS = ("Give", "Gives", "Say", "Says", "Tell", "Tells")
LONG_FUNCTION = 10
"""Lines of a body, its docstring left out, from which on a function needs a docstring."""
LONG_TEST_NAME = 60
LONG_SUBJECT = 72
EXAMPLES = 5
"""How many places are listed for a word, without `--all`."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class CodePlace:
    """A line of a file."""

    file: str
    line: int

    def __str__(self) -> str:
        """Return the place as editors read it."""
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Section:
    """One list of the report: its title, its lines, and the number that the summary repeats."""

    title: str
    lines: Sequence[str]
    count: int


@dataclass(frozen=True)
class Module:
    """A parsed Python file, named by its path in the checkout."""

    file: str
    tree: ast.Module

    @property
    def is_test(self) -> bool:
        """Whether the file belongs to the tests."""
        return self.file.startswith("tests/")

    def place(self, node: ast.stmt | ast.expr | ast.arg | ast.excepthandler) -> CodePlace:
        """Return the place of a node."""
        return CodePlace(self.file, node.lineno)

    def functions(self) -> Iterator[Function]:
        """Yield every function and method, nested ones too."""
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))


def parse(files: Iterable[Path], root: Path = paths.ROOT) -> list[Module]:
    """Parse the Python files among some files."""
    return [
        Module(file.relative_to(root).as_posix(), ast.parse(file.read_text())) for file in files if file.suffix == ".py"
    ]


def repeated_classes(modules: Iterable[Module]) -> dict[str, list[CodePlace]]:
    """Return the class names that are defined more than once, with their places."""
    places: dict[str, list[CodePlace]] = defaultdict(list)
    for module in modules:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(module.place(node))
    return {name: defined for name, defined in sorted(places.items()) if len(defined) > 1}


def filler_names(modules: Iterable[Module]) -> dict[str, list[CodePlace]]:
    """Return the identifiers that are only fillers, with the places that define them, most frequent first.

    A word of a pair, such as `before` beside `after`, is left out, and so is `other` as the second operand of a method.
    """
    places: dict[str, list[CodePlace]] = defaultdict(list)
    for module in modules:
        names = list(_defined_names(module))
        defined = {name for name, _ in names}
        for name, node_place in names:
            word = name.strip("_").lower()
            if word in FILLERS and name.replace(word, PAIRS.get(word, word)) not in defined - {name}:
                places[name].append(node_place)
    return dict(sorted(places.items(), key=lambda item: (-len(item[1]), item[0])))


def _defined_names(module: Module) -> Iterator[tuple[str, CodePlace]]:
    """Yield every name that a module defines: variables, attributes, parameters, functions, classes."""
    second_operands: set[ast.arg] = set()
    for node in ast.walk(module.tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name, module.place(node)
            case ast.FunctionDef(name=name, args=ast.arguments(args=[ast.arg(arg="self"), ast.arg(arg="other")])):
                second_operands.add(node.args.args[1])
                yield name, module.place(node)
            case ast.arg(arg=name) if node not in second_operands:
                yield name, module.place(node)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name, module.place(node)
            case ast.ClassDef(name=name) | ast.ExceptHandler(name=str(name)):
                yield name, module.place(node)
            case _:
                pass


def vague_docstrings(modules: Iterable[Module]) -> list[tuple[CodePlace, str]]:
    """Return the docstrings that begin with one of `VAGUE_DOCSTRING_VERBS`: place and first line."""
    return [
        (module.place(function), first)
        for module in modules
        for function in module.functions()
        if (first := (ast.get_docstring(function) or "").partition("\n")[0])
        and first.split()[0] in VAGUE_DOCSTRING_VERBS
    ]


def undocumented_functions(modules: Iterable[Module]) -> list[tuple[CodePlace, str, int]]:
    """Return the functions of more than `LONG_FUNCTION` lines without a docstring: place, name, lines.

    Tests and fixtures of pytest are left out: the name of a test is its description.
    """
    return [
        (module.place(function), function.name, lines)
        for module in modules
        for function in module.functions()
        if not ast.get_docstring(function) and not (module.is_test and function.name.startswith("test_"))
        if (lines := body_lines(function)) > LONG_FUNCTION
    ]


def body_lines(function: Function) -> int:
    """Return how many lines the body of a function has, its docstring left out."""
    first = function.body[1] if ast.get_docstring(function) and len(function.body) > 1 else function.body[0]
    return (function.body[-1].end_lineno or first.lineno) - first.lineno + 1


def long_test_names(modules: Iterable[Module]) -> list[tuple[CodePlace, str]]:
    """Return the tests whose name is longer than `LONG_TEST_NAME` characters."""
    return [
        (module.place(function), function.name)
        for module in modules
        if module.is_test
        for function in module.functions()
        if function.name.startswith("test_") and len(function.name) > LONG_TEST_NAME
    ]


def long_subjects(subjects: Iterable[str]) -> list[str]:
    """Return the commit subjects longer than `LONG_SUBJECT` characters."""
    return [subject for subject in subjects if len(subject) > LONG_SUBJECT]


def commit_subjects(root: Path = paths.ROOT) -> list[str]:
    """Return the subjects of the checkout's commits, newest first; empty without git."""
    command = ("git", "log", "--no-merges", "--format=%s")
    completed = subprocess.run(command, cwd=root, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return completed.stdout.splitlines()


def sections(
    modules: Sequence[Module], selected: Sequence[Module], subjects: Sequence[str], examples: int | None = EXAMPLES
) -> list[Section]:
    """Return the report on the selected modules; a class is looked for in all of them.

    Args:
        modules: every module of the checkout.
        selected: the modules to report on.
        subjects: the commit subjects to check.
        examples: how many places are listed for each word and subject; None for all.
    """
    files = {module.file for module in selected}
    classes = {
        name: places
        for name, places in repeated_classes(modules).items()
        if any(place.file in files for place in places)
    }
    fillers = filler_names(selected)
    docstrings, functions = vague_docstrings(selected), undocumented_functions(selected)
    tests, commits = long_test_names(selected), long_subjects(subjects)
    verbs = Counter(first.split()[0] for _, first in docstrings)
    return [
        Section("Class names defined more than once", _listed(classes, None), len(classes)),
        Section("Filler identifiers", _listed(fillers, examples), sum(map(len, fillers.values()))),
        Section(
            f"Docstrings that begin with {' or '.join(verbs) or 'Give or Say'}",
            [f"{place}: {first}" for place, first in docstrings],
            len(docstrings),
        ),
        Section(
            f"Functions of more than {LONG_FUNCTION} lines without a docstring",
            [f"{place}: {name} ({lines} lines)" for place, name, lines in functions],
            len(functions),
        ),
        Section(
            f"Test names of more than {LONG_TEST_NAME} characters",
            [f"{place}: {name} ({len(name)})" for place, name in tests],
            len(tests),
        ),
        Section(f"Commit subjects of more than {LONG_SUBJECT} characters", commits[:examples], len(commits)),
    ]


def _listed(names: Mapping[str, Sequence[CodePlace]], examples: int | None) -> list[str]:
    return [f"{name} ({len(places)}): {_places(places, examples)}" for name, places in names.items()]


def _places(places: Sequence[CodePlace], examples: int | None) -> str:
    listed = ", ".join(map(str, places[:examples]))
    hidden = len(places) - len(places[:examples])
    return f"{listed} and {hidden} more" if hidden else listed


def report_of(report: Iterable[Section], *, summary_only: bool = False) -> str:
    """Return the report as text: each list, then a summary line for each."""
    listed = list(report)
    details = [
        line for section in listed for line in (f"{section.title}:", *(f"  {text}" for text in section.lines), "")
    ]
    summary = [f"{section.count:>6}  {section.title}" for section in listed]
    return "\n".join([*([] if summary_only else details), *summary]) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the report on the paths of the command line."""
    parser = argparse.ArgumentParser(prog="python -m devtools.checks.language", description=__doc__.partition("\n")[0])
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="files or folders (default: the checkout)")
    parser.add_argument("--all", action="store_true", help="list every place of a word, not only the first")
    parser.add_argument("--summary", action="store_true", help="print the numbers only")
    options = parser.parse_args(arguments)
    modules = parse(tracked_files())
    roots = [path.resolve().relative_to(paths.ROOT).as_posix() for path in options.paths]
    selected = [module for module in modules if not roots or _is_under(module.file, roots)]
    subjects = [] if roots else commit_subjects()
    report = sections(modules, selected, subjects, None if options.all else EXAMPLES)
    sys.stdout.write(report_of(report, summary_only=options.summary))
    return 0


def _is_under(file: str, roots: Sequence[str]) -> bool:
    return any(root in (".", file) or file.startswith(f"{root}/") for root in roots)


if __name__ == "__main__":
    sys.exit(main())
