"""Runs the Python examples of a page and collects what they print."""

import contextlib
import io
import re
from collections.abc import Iterator
from pathlib import Path

from tests.unit.docs.pages import ROOT

_EXAMPLE = re.compile(r"^```python\n(.*?)^```$(?:\n+^```text\n(.*?)^```$)?", re.MULTILINE | re.DOTALL)


def run_examples(page: Path) -> Iterator[tuple[str, str]]:
    """Run the Python blocks of a page in order, in one namespace, and yield the output shown and the actual one.

    A block is executed in the project's root folder. Only blocks that a block of text follows are yielded.
    """
    namespace: dict[str, object] = {}
    for number, (code, expected) in enumerate(_EXAMPLE.findall(page.read_text()), 1):
        printed = io.StringIO()
        with contextlib.chdir(ROOT), contextlib.redirect_stdout(printed):
            exec(compile(code, f"{page.name}, example {number}", "exec"), namespace)  # noqa: S102  # it is our own page
        if expected:
            yield _without_trailing_blanks(expected), _without_trailing_blanks(printed.getvalue())


def _without_trailing_blanks(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.splitlines())
