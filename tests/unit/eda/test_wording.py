"""Numbers are written briefly, with their units; what is undefined is a dash."""

import pytest

from eda.quantities import UsageUnit
from eda.wording import amount, bare, number, share, signed


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (0, "0"), (0.4216, "0.422"), (12.34, "12.3"), (1234.5, "1,234"), (-4, "-4"), (9999, "9,999"),
     (10_000, "10 k"), (56_700, "56.7 k"), (999_960, "1 M"), (1_234_567, "1.23 M"), (2e12, "2 T")],
)  # fmt: skip
def test_numbers(value: float | None, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(312.4, UsageUnit.SECONDS, "312 seconds"), (4, UsageUnit.CALLS, "4 calls"), (1.2e9, UsageUnit.BYTES, "1.2 GB"),
     (999, UsageUnit.BYTES, "999 B"), (1000, UsageUnit.BYTES, "1 kB"), (None, UsageUnit.SECONDS, "–"),
     (None, UsageUnit.BYTES, "–")],
)  # fmt: skip
def test_amounts(value: float | None, unit: UsageUnit, text: str) -> None:
    assert amount(value, unit) == text


def test_an_amount_without_its_unit_keeps_the_prefix_of_bytes() -> None:
    assert (bare(312, UsageUnit.SECONDS), bare(5e6, UsageUnit.BYTES)) == ("312", "5 MB")


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (0, "0 %"), (0.00003, "< 0.01 %"), (0.0027, "0.27 %"), (0.022, "2.2 %"), (0.0994, "9.9 %"),
     (0.14, "14.0 %"), (0.9999, "100.0 %"), (1, "100 %")],
)  # fmt: skip
def test_shares(value: float | None, text: str) -> None:
    assert share(value) == text


@pytest.mark.parametrize(("value", "text"), [(None, "–"), (0.25, "+0.25"), (-0.25, "−0.25"), (-0.004, "0.00")])
def test_correlations(value: float | None, text: str) -> None:
    assert signed(value) == text
