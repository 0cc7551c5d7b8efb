"""Numbers as text in the sentences of reasons and reports. No I/O here."""

LARGEST_WRITTEN_OUT = 1e15
SMALLEST_P_VALUE = 0.0001
"""A smaller one is only said to be smaller."""


def percent(share: float) -> str:
    """Return a share in percent, rounded down, so that 99.97 % does not read as 100 %."""
    tenths = int(share * 1000 + 1e-9)
    return f"{tenths / 10:g} %"


def readable(value: float, digits: int = 3) -> str:
    """Return a number with that many significant digits, a larger one as a whole number: 0.123, 2,650, 12,345,678.

    Only numbers from 1e15 on and those nearer to 0 than 0.0001 have an exponent.
    """
    text = f"{value:,.{digits}g}"
    return f"{value:,.0f}" if "e+" in text and abs(value) < LARGEST_WRITTEN_OUT else text


def p_value_text(p_value: float) -> str:
    """Return a p-value with its sign: `p = 0.0026`, or `p < 0.0001`."""
    return f"p = {p_value:.2g}" if p_value >= SMALLEST_P_VALUE else f"p < {SMALLEST_P_VALUE:g}"


def format_distinct(value: float, bound: float) -> tuple[str, str]:
    """Return both numbers as text, with the fewest digits that show that they differ."""
    for digits in range(3, 17):
        texts = readable(value, digits), readable(bound, digits)
        if texts[0] != texts[1]:
            return texts
    return readable(value), readable(bound)
