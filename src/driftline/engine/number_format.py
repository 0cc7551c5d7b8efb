"""Numbers as text in the sentences of reasons and reports. No I/O here."""


def percent(share: float) -> str:
    """Return a share in percent, rounded down, so that 99.97 % does not read as 100 %."""
    tenths = int(share * 1000 + 1e-9)
    return f"{tenths / 10:g} %"


def format_distinct(value: float, bound: float) -> tuple[str, str]:
    """Return both numbers as text, with the fewest digits that show that they differ."""
    for digits in range(3, 17):
        texts = f"{value:.{digits}g}", f"{bound:.{digits}g}"
        if texts[0] != texts[1]:
            return texts
    return f"{value:.3g}", f"{bound:.3g}"
