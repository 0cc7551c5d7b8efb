"""Points become valid lines, whatever the names of a user's columns and categories are."""

from datetime import UTC, datetime

import pytest

from monitoring.series.line_protocol import FieldValue, Point, line_of

AT = datetime(2026, 3, 1, tzinfo=UTC)
SECONDS = 1_772_323_200


def line(tags: dict[str, str], fields: dict[str, FieldValue | None]) -> str:
    return line_of(Point("m", tags, fields, AT)).removesuffix(f" {SECONDS}")


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.5, "0.5"),
        (1e-7, "1e-07"),
        (3, "3i"),
        (True, "true"),
        (False, "false"),
        ('say "a\\b"', '"say \\"a\\\\b\\""'),
        ("two\nlines", '"two lines"'),
    ],
)
def test_a_field_has_its_type(value: FieldValue, written: str) -> None:
    assert line({}, {"f": value}) == f"m f={written}"


@pytest.mark.parametrize("value", [None, float("nan"), float("inf")])
def test_what_is_no_number_is_left_out(value: float | None) -> None:
    assert line({}, {"a": 1, "f": value}) == "m a=1i"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("region=EU, west", r"region\=EU\,\ west"),
        ("two\r\nlines", r"two\ lines"),
        ("ends\\", "ends\\\\ "),
        ("größe", "größe"),
    ],
)
def test_a_tag_is_escaped(value: str, written: str) -> None:
    assert line({"t": value}, {"f": 1}) == f"m,t={written} f=1i"


def test_empty_tags_are_left_out_and_others_sorted() -> None:
    assert line({"b": "2", "c": "", "a": "1"}, {"f": 1}) == "m,a=1,b=2 f=1i"
