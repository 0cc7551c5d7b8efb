import pytest

from driftline.engine.number_format import format_distinct, percent


@pytest.mark.parametrize(
    ("share", "shown"), [(0.0, "0 %"), (0.95, "95 %"), (0.9999, "99.9 %"), (1.0, "100 %"), (0.057, "5.7 %")]
)
def test_shares_are_rounded_down(share: float, formatted: str) -> None:
    assert percent(share) == formatted


@pytest.mark.parametrize(
    ("value", "bound", "shown"),
    [
        (0.41, 0.47, ("0.41", "0.47")),
        (0.46999, 0.47, ("0.46999", "0.47")),
        (0.5, 0.5, ("0.5", "0.5")),
        (12345.678, 12345.679, ("12345.678", "12345.679")),
    ],
)
def test_numbers_are_shown_so_that_they_differ(value: float, bound: float, formatted: tuple[str, str]) -> None:
    assert format_distinct(value, bound) == formatted
