"""Numbers as text in the sentences of reasons and reports. No I/O here."""


def percent(share: float) -> str:
    """Return a share in percent, rounded down: 99.97 % must not read as all of them."""
    tenths = int(share * 1000 + 1e-9)
    return f"{tenths / 10:g} %"


def format_distinct(value: float, bound: float) -> tuple[str, str]:
    """Return both numbers as text, with as few digits as still show that they differ."""
    for digits in range(3, 17):
        shown = f"{value:.{digits}g}", f"{bound:.{digits}g}"
        if shown[0] != shown[1]:
            return shown
    return f"{value:.3g}", f"{bound:.3g}"
