import pytest

from driftline.engine.number_format import format_distinct, percent, readable


@pytest.mark.parametrize(
    ("share", "formatted"), [(0.0, "0 %"), (0.95, "95 %"), (0.9999, "99.9 %"), (1.0, "100 %"), (0.057, "5.7 %")]
)
def test_shares_are_rounded_down(share: float, formatted: str) -> None:
    assert percent(share) == formatted


@pytest.mark.parametrize(
    ("value", "bound", "formatted"),
    [
        (0.41, 0.47, ("0.41", "0.47")),
        (0.46999, 0.47, ("0.46999", "0.47")),
        (0.5, 0.5, ("0.5", "0.5")),
        (12345.678, 12345.679, ("12,345.678", "12,345.679")),
        (7200.0, 3600.0, ("7,200", "3,600")),
    ],
)
def test_numbers_are_shown_so_that_they_differ(value: float, bound: float, formatted: tuple[str, str]) -> None:
    assert format_distinct(value, bound) == formatted


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.91234, "0.912"),
        (-0.5, "-0.5"),
        (0.0, "0"),
        (999.6, "1,000"),
        (2649.6, "2,650"),
        (-12345678.9, "-12,345,679"),
        (0.00001, "1e-05"),
        (3e18, "3e+18"),
    ],
)
def test_numbers_of_a_usual_size_have_no_exponent(value: float, text: str) -> None:
    assert readable(value) == text
