"""Messages about the faulty fields of any model: their place, what is wrong, what to write, and no secret."""

from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pytest
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from driftline.validation_faults import raise_contradictions, validation_faults


class Parcel(BaseModel):
    """A model with a field of each kind that has words of its own."""

    model_config = ConfigDict(extra="forbid")

    number: str = Field("A1", pattern=r"^[A-Z]\d$", max_length=2)
    address: Path = Path()
    day: date = date(2026, 1, 31)
    at: time = time(20, 30)
    paid: AwareDatetime | None = None
    sent: datetime | None = None
    tags: frozenset[str] = Field(frozenset(), max_length=1)
    value: int | float | str | bool | None = None

    @model_validator(mode="after")
    def _check(self) -> "Parcel":
        raise_contradictions("Parcel", [fault for fault in ("pay first", "name a tag") if self.number == "X0"])
        return self


def faults(fields: Any, **options: Any) -> tuple[str, ...]:
    with pytest.raises(ValidationError) as caught:
        Parcel.model_validate(fields)
    return tuple(validation_faults(caught.value, **options))


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"number": "a"}, r"number: 'a' does not match the pattern ^[A-Z]\d$; write text that does"),
        ({"number": "A10"}, "number: the text is too long; write at most 2 characters"),
        ({"address": 5}, "address: 5 is not text; put it in quotes"),
        ({"day": "soon"}, "day: 'soon' is not a day; write one such as 2026-01-31"),
        ({"at": "noon"}, "at: 'noon' is not a time of day; write one such as '20:30'"),
        ({"sent": "soon"}, "sent: 'soon' is not an instant; write one such as 2026-01-31T00:00:00Z"),
        ({"paid": "2026-01-31T00:00:00"}, "paid: '2026-01-31T00:00:00' has no time zone; write one such as"),
        ({"tags": 5}, "tags: 5 is not a list; write one such as [a, b]"),
        ({"tags": ["a", "b"]}, "tags: too many items; write at most 1"),
        ({"value": []}, "value: a value of type list is not simple; write a number, a text, true, false or null"),
        ({"colour": 1}, "colour: unknown field; remove it or correct its name"),
        ([], "a value of type list is not a mapping; write one such as {field: value}"),
    ],
)
def test_a_fault_says_what_to_write(fields: Any, fault: str) -> None:
    (text,) = faults(fields)
    assert text.startswith(fault)


def test_all_faults_and_all_contradictions_are_listed() -> None:
    assert [text.split(":")[0] for text in faults({"number": "a", "day": 0.5, "x": 1})] == ["number", "day", "x"]
    assert faults({"number": "X0"}, document="the file") == ("the file: pay first", "the file: name a tag")


def test_a_fault_has_its_place_in_the_whole() -> None:
    assert faults({"x": 1}, root="order") == ("order: unknown field 'x'",)
    assert faults({"x": 1}, available=["number", "day"]) == ("x: unknown field; available: number, day",)
    (text,) = faults({"address": 5}, root="order", within=("orders", 3))
    assert text == "order: orders.3.address: 5 is not text; put it in quotes"


def test_a_secret_is_not_shown() -> None:
    secret = {"number": "k3", "day": "k3"}
    assert all("k3" in text for text in faults(secret))
    texts = faults(secret, is_secret=lambda location: True)
    assert texts[1] == "day: the value is not a day; write one such as 2026-01-31"
    assert "k3" not in str(texts)


@pytest.mark.parametrize("address", ["https://me:k3y@host/a", "https://me:k@3y/k3y@host", "http://host/?p=k3y&q=k3y"])
def test_an_address_is_shown_without_its_credentials(address: str) -> None:
    (text,) = faults({"at": address})
    assert "k3y" not in text
    assert "host" in text


def test_the_json_of_a_whole_file_is_not_shown() -> None:
    with pytest.raises(ValidationError) as caught:
        Parcel.model_validate_json('{"number": "k3y",}')
    (text,) = validation_faults(caught.value, document="the file")
    assert text.startswith("the file: this is not JSON (trailing comma at line 1 column 18)")
