"""Name the encoding of a text that is not UTF-8, as far as its first bytes show it. No I/O here."""

import codecs
from contextlib import suppress

_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
"""Byte order marks; UTF-32 comes first, since its mark begins with that of UTF-16."""
_MOST = 0.7
"""The share of zeros (or of printable characters) from which on an encoding is recognized."""
_FEWEST_ZEROS = 0.01
"""Text in UTF-16 has at least this share of zero bytes."""
_SIGNS = frozenset(" ,;.:-_\"'\t\r\n\x85")
"""Signs of a table in cp037, to which other kinds of EBCDIC are similar."""


def foreign_encoding(head: bytes) -> str | None:
    """Return the encoding of a text, by its first bytes, if it is not a superset of ASCII; else None.

    Recognized are UTF-16 and UTF-32, with or without a byte order mark, and EBCDIC. Encodings that contain ASCII, such
    as Latin-1, cannot be told apart without knowing the language.
    """
    marked = next((name for mark, name in _MARKS.items() if head.startswith(mark)), None)
    return marked or _encoding_by_zeros(head) or _ebcdic(head)


def _encoding_by_zeros(head: bytes) -> str | None:
    """Return UTF-32 or UTF-16 by the zeros in the upper bytes of commas, digits and line ends; UTF-8 has none."""
    of_four = [head[offset::4].count(0) / max(len(head[offset::4]), 1) for offset in range(4)]
    if min(of_four[:2]) > _MOST or min(of_four[2:]) > _MOST:
        return "UTF-32"
    zeros = head.count(0)
    on_one_side = max(head[::2].count(0), head[1::2].count(0))
    return "UTF-16" if zeros > _FEWEST_ZEROS * len(head) and on_one_side > _MOST * zeros else None


def _ebcdic(head: bytes) -> str | None:
    with suppress(UnicodeDecodeError):
        codecs.getincrementaldecoder("utf-8")().decode(head)
        return None
    if b"," in head or b"\n" in head:  # in EBCDIC these are control characters, which a table does not have
        return None
    plain = sum(character.isalnum() or character in _SIGNS for character in head.decode("cp037"))
    return "EBCDIC" if plain > _MOST * len(head) else None
