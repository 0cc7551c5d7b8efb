"""The tables that notebooks show for results. No I/O here."""

from collections.abc import Iterable, Sequence
from html import escape


def html_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], notes: Iterable[str] = ()) -> str:
    """Return a paragraph with the title, one for each note, and a table of texts."""
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join(map(_row, rows))
    paragraphs = "".join(f"<p>{escape(text)}</p>" for text in (title, *notes))
    return f"{paragraphs}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _row(cells: Sequence[str]) -> str:
    return f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"
