"""Describes how a page is built, without its data: its elements, headings and style sheets. No I/O here."""

import hashlib
import re
from collections.abc import Sequence
from html.parser import HTMLParser

from driftline.engine.results import State

HEADINGS = frozenset({"h1", "h2", "h3", "dt"})
STATES = frozenset(State)


class _Outline(HTMLParser):
    """Collects the elements with their classes, and the text of headings."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.headings: list[str] = []
        self._in_heading = False

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        """Note an element, without the classes that name a state: those are data."""
        classes = (dict(attrs).get("class") or "").split()
        self.elements.add(".".join([tag, *(name for name in classes if name not in STATES)]))
        self._in_heading = self._in_heading or tag in HEADINGS

    def handle_endtag(self, tag: str) -> None:
        """Note where a heading ends."""
        self._in_heading = self._in_heading and tag not in HEADINGS

    def handle_data(self, data: str) -> None:
        """Note the text of a heading, with 0 for each number."""
        if self._in_heading and data.strip():
            self.headings.append(re.sub(r"\d+", "0", data.strip()))


def fingerprint(page: str, styles: Sequence[str]) -> str:
    """Return the SHA-256 of a page's elements, headings and style sheets."""
    outline = _Outline()
    outline.feed(page)
    parts = (*sorted(outline.elements), *outline.headings, *styles)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
