"""The words of values on pages: numbers, shares and instants, as filters and functions for templates. No I/O here."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from markupsafe import Markup

from driftline.engine.number_format import percent, readable


def shorten(text: str, most: int) -> str:
    """Return a text of at most `most` characters without its middle: names of columns differ at their ends."""
    end = (most - 1) // 2 + 1
    return text if len(text) <= most else f"{text[: most - 1 - end]}…{text[-end:]}"


FILTERS: Mapping[str, Callable[..., str]] = {"percent": percent, "number": readable, "shorten": shorten}


def time(instant: datetime, *, ago: bool = False) -> Markup:
    """Return an instant in UTC as HTML; a script shows it in the reader's zone, with `ago` as a distance from now."""
    utc = instant.astimezone(UTC)
    template = Markup('<time class="{}" datetime="{}">{}</time>')
    return template.format("ago" if ago else "at", f"{utc:%Y-%m-%dT%H:%M:%SZ}", f"{utc:%-d %b %Y %H:%M} UTC")
