"""Formats numbers for readers, with their units. No I/O here."""

from eda.quantities import UsageUnit

UNDEFINED = "–"
_PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def number(value: float | None) -> str:
    """Format a number in at most four characters and a prefix: 0.42, 12.3, 1,234, 56.7 k, 1.2 M; a dash for None."""
    if value is None:
        return UNDEFINED
    if abs(value) >= 9999.5:
        return _prefixed(value, "")
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 100 else f"{value:.3g}"


def bare(value: float | None, unit: UsageUnit) -> str:
    """Format an amount whose unit is shown beside it: 312, 1.2 GB (bytes keep their unit for its decimal prefix)."""
    if value is None:
        return UNDEFINED
    return _prefixed(value, "B") if unit is UsageUnit.BYTES else number(value)


def amount(value: float | None, unit: UsageUnit) -> str:
    """Format an amount with its unit: 312 seconds, 1.2 GB, 4 calls."""
    return bare(value, unit) if value is None or unit is UsageUnit.BYTES else f"{number(value)} {unit}"


def share(value: float | None) -> str:
    """Format a share as a percentage: 0 %, 0.03 %, 1.2 %, 14 %; a dash for None."""
    if value is None:
        return UNDEFINED
    if 0 < value < 0.0001:
        return "< 0.01 %"
    if value == 1:
        return "100 %"
    return f"{100 * value:.2g} %" if value < 0.0995 else f"{100 * value:.1f} %"


def percent(value: float) -> str:
    """Format a share as a whole percentage: 95 %."""
    return f"{100 * value:.0f} %"


def signed(value: float | None) -> str:
    """Format a correlation with its sign, where minus is as wide as plus; a dash for None."""
    if value is None:
        return UNDEFINED
    return "0.00" if abs(value) < 0.005 else f"{value:+.2f}".replace("-", "−")


def _prefixed(value: float, unit: str) -> str:
    for size, prefix in _PREFIXES:
        if abs(value) >= 0.9995 * size:
            return f"{_three(value / size)} {prefix}{unit}"
    return f"{_three(value)} {unit}".rstrip()


def _three(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 99.95 or value == int(value) else f"{value:.3g}"
