"""The request of `POST /start_stream`, checked: all faults of a request are reported together. No I/O here."""

from datetime import date, timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo
from pydantic import field_validator as checks

from driftline.clock import MAX_CLOCK_SKEW
from driftline.errors import InvalidInput
from driftline.store.ledger import MAX_ROWS
from driftline.validation_faults import validation_faults
from flaskapp.world.drifts import Drift, drift_schema, parse_drifts
from flaskapp.world.parameters import DEFAULT_SEED, FIRST_DAY, LARGEST_SEED, LONGEST_DELAY

LONGEST_STREAM = 100_000


def _day(value: object) -> object:
    if value is None:
        return None
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise ValueError(f"must be a day such as 2026-01-31, not {value!r:.100}")


def _integer(value: object) -> object:
    """Convert 7.0 to 7, because JSON does not distinguish them."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Day = Annotated[date | None, BeforeValidator(_day)]

_DAY_OR_NUMBER = {
    "oneOf": [{"type": "string", "format": "date"}, {"type": "integer", "minimum": 1, "maximum": LONGEST_STREAM}],
    "description": "a day, or its number in the stream (1 is the first)",
}


class StartStream(BaseModel):
    """A stream to start; every field has a default.

    Without `start_date`, `batch_size` records with the current time are written every `interval` seconds; they have no
    labels. With `start_date`, each batch contains one more day of records of all `subscribers` (default:
    `batch_size`), and a second batch contains the labels that become known at the end of that day.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    batch_size: int = Field(1000, ge=1, le=MAX_ROWS)
    num_batches: int = Field(10, ge=1, le=LONGEST_STREAM)
    interval: float = Field(60.0, ge=0, le=86_400, description="seconds between batches")
    start_date: Day = None
    step: Literal["1d"] | None = Field(None, description="only 1d; needs start_date")
    subscribers: int | None = Field(None, ge=1, le=MAX_ROWS)
    seed: int = Field(DEFAULT_SEED, ge=0, le=LARGEST_SEED)
    label_delay: int = Field(3, ge=1, le=LONGEST_DELAY, description="days")
    drifts: list[Any] = Field(default=[], json_schema_extra={"items": drift_schema(_DAY_OR_NUMBER)})

    @checks("batch_size", "num_batches", "subscribers", "seed", "label_delay", mode="before")
    @classmethod
    def _whole_number(cls, value: object) -> object:
        return _integer(value)

    @checks("start_date")
    @classmethod
    def _within_calendar(cls, start: date | None, info: ValidationInfo) -> date | None:
        if start is None or info.context is None:
            return start
        days = min(info.data.get("num_batches", 1) - 1, (date.max - start).days)  # a date after date.max is an error
        last = start + timedelta(days=days)
        newest = info.context["today"] + MAX_CLOCK_SKEW
        if start < FIRST_DAY or last > newest:
            raise ValueError(
                f"the stream would go from {start} to {last}; it must lie between {FIRST_DAY} and {newest}"
            )
        return start

    @checks("step")
    @classmethod
    def _needs_start_date(cls, step: str | None, info: ValidationInfo) -> str | None:
        if step is not None and info.data.get("start_date", step) is None:
            raise ValueError("needs a start_date")
        return step


def read_start(body: object, today: date) -> tuple[StartStream, tuple[Drift, ...]]:
    """Return a request's decoded JSON (None stands for an empty one) as a checked request with its dated drifts.

    Raises:
        InvalidInput: with every fault in `details`.
    """
    body = {} if body is None else body
    request, faults = _read(body, today)
    first = request.start_date if request and request.start_date else today
    drifts, drift_faults = _read_drifts(body, first)
    if request is None or drift_faults:
        raise InvalidInput(
            "The stream's parameters are invalid; correct the faults listed.", details=(*faults, *drift_faults)
        )
    return request, drifts


def _read(body: object, today: date) -> tuple[StartStream | None, tuple[str, ...]]:
    if not isinstance(body, dict):
        return None, ("the body must be a JSON object",)
    try:
        return StartStream.model_validate(body, context={"today": today}), ()
    except ValidationError as error:
        return None, tuple(validation_faults(error, available=StartStream.model_fields))


def _read_drifts(body: object, first: date) -> tuple[tuple[Drift, ...], tuple[str, ...]]:
    items = body.get("drifts") if isinstance(body, dict) else None
    if not isinstance(items, list):
        return (), ()
    try:
        return parse_drifts([_dated(item, first) for item in items]), ()
    except InvalidInput as error:
        return (), error.details


def _dated(item: object, first: date) -> object:
    """Replace day numbers by days; any other value is left unchanged, to be rejected by `parse_drifts`."""
    if not isinstance(item, dict):
        return item
    return item | {name: _day_of(item[name], first) for name in ("start", "until") if name in item}


def _day_of(value: object, first: date) -> object:
    number = _integer(value)
    if isinstance(number, int) and not isinstance(number, bool) and 1 <= number <= LONGEST_STREAM:
        return (first + timedelta(days=number - 1)).isoformat()
    return number
