"""The comparison of the shop's orders with a copy: a row counts as often as it stands there."""

from examples.lakehouse.comparison import row_differences

ROWS = [(1, "north"), (2, None)]


def test_the_order_of_rows_does_not_matter() -> None:
    assert row_differences("the copy", ROWS, ROWS[::-1]) == []


def test_a_row_that_stands_twice_is_surplus_or_missing() -> None:
    assert row_differences("the copy", ROWS, [*ROWS, ROWS[0]]) == [
        "the copy: 0 rows are missing, 1 are surplus",
        "the copy has (1, 'north')",
    ]
    assert row_differences("the lake", [*ROWS, ROWS[1]], ROWS) == [
        "the lake: 1 rows are missing, 0 are surplus",
        "the lake lacks (2, None)",
    ]
