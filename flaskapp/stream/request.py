"""What `POST /start_stream` takes, checked: every fault of a request is listed at once. No I/O here."""

from datetime import date, timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo
from pydantic import field_validator as checks

from churn.columns import CDR_USAGE
from driftline.clock import MAX_CLOCK_SKEW
from driftline.errors import InvalidInput
from driftline.store.ledger import MAX_ROWS
from flaskapp.world.drifts import Drift, DriftKind, parse_drifts
from flaskapp.world.parameters import FIRST_DAY, LARGEST_SEED, LONGEST_DELAY

DEFAULT_SEED = 7
LONGEST_STREAM = 100_000


def _day(value: object) -> object:
    if value is None:
        return None
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise ValueError(f"must be a day such as 2026-01-31, not {value!r}")


def _whole(value: object) -> object:
    """Take 7.0 for 7: to JSON they are one number."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Day = Annotated[date | None, BeforeValidator(_day)]

_DAY_OR_NUMBER = {
    "oneOf": [{"type": "string", "format": "date"}, {"type": "integer", "minimum": 1, "maximum": LONGEST_STREAM}],
    "description": "a day, or its number in the stream (1 is the first)",
}
DRIFT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["kind", "size", "start"],
    "additionalProperties": False,
    "properties": {
        "kind": {"type": "string", "enum": [*DriftKind]},
        "size": {"type": "number"},
        "start": _DAY_OR_NUMBER,
        "until": {**_DAY_OR_NUMBER, "description": "the last day, included; left out: for good"},
        "column": {"type": "string", "enum": [*CDR_USAGE]},
    },
}


class StartStream(BaseModel):
    """A stream to start; every field has a default.

    Without `start_date` records are stamped now, `batch_size` of them every `interval` seconds. With it each batch is
    the next day's records of all `subscribers` (default: `batch_size`), followed by the labels that day makes known.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    batch_size: int = Field(1000, ge=1, le=MAX_ROWS)
    num_batches: int = Field(10, ge=1, le=LONGEST_STREAM)
    interval: float = Field(60.0, ge=0, le=86_400, description="seconds between batches")
    start_date: Day = None
    step: Literal["1d"] | None = None
    subscribers: int | None = Field(None, ge=1, le=MAX_ROWS)
    seed: int = Field(DEFAULT_SEED, ge=0, le=LARGEST_SEED)
    label_delay: int = Field(3, ge=1, le=LONGEST_DELAY, description="days")
    drifts: list[Any] = Field(default=[], json_schema_extra={"items": DRIFT_SCHEMA})

    @checks("batch_size", "num_batches", "subscribers", "seed", "label_delay", mode="before")
    @classmethod
    def _whole_number(cls, value: object) -> object:
        return _whole(value)

    @checks("start_date")
    @classmethod
    def _within_time(cls, start: date | None, info: ValidationInfo) -> date | None:
        if start is None or info.context is None:
            return start
        last = start + timedelta(days=info.data.get("num_batches", 1) - 1)
        newest = info.context["today"] + MAX_CLOCK_SKEW
        if start < FIRST_DAY or last > newest:
            raise ValueError(f"the stream would go from {start} to {last}; it must lie in {FIRST_DAY} to {newest}")
        return start

    @checks("step")
    @classmethod
    def _of_dated_stream(cls, step: str | None, info: ValidationInfo) -> str | None:
        if step is not None and info.data.get("start_date", step) is None:
            raise ValueError("needs a start_date")
        return step


def read_start(body: object, today: date) -> tuple[StartStream, tuple[Drift, ...]]:
    """Read a request's decoded JSON (None is an empty one); give it with its drifts by day.

    Raises:
        InvalidInput: with every fault in `details`.
    """
    body = {} if body is None else body
    request, faults = _read(body, today)
    first = request.start_date if request and request.start_date else today
    drifts, more = _read_drifts(body, first)
    if request is None or more:
        raise InvalidInput("The stream's parameters do not fit; correct the faults listed.", details=(*faults, *more))
    return request, drifts


def _read(body: object, today: date) -> tuple[StartStream | None, tuple[str, ...]]:
    try:
        return StartStream.model_validate(body, context={"today": today}), ()
    except ValidationError as error:
        return None, tuple(_fault(fault["loc"], fault["type"], fault["msg"]) for fault in error.errors())


def _fault(place: tuple[int | str, ...], kind: str, message: str) -> str:
    if not place:
        return "the body must be a JSON object"
    name = ".".join(map(str, place))
    if kind == "extra_forbidden":
        return f"{name}: unknown field; known: {', '.join(StartStream.model_fields)}"
    return f"{name}: {message.removeprefix('Value error, ')}"


def _read_drifts(body: object, first: date) -> tuple[tuple[Drift, ...], tuple[str, ...]]:
    items = body.get("drifts") if isinstance(body, dict) else None
    if not isinstance(items, list):
        return (), ()
    try:
        return parse_drifts([_dated(item, first) for item in items]), ()
    except InvalidInput as error:
        return (), error.details


def _dated(item: object, first: date) -> object:
    """Turn day numbers into days; what is no number from 1 on is left to be refused."""
    if not isinstance(item, dict):
        return item
    return item | {name: _day_of(item[name], first) for name in ("start", "until") if name in item}


def _day_of(written: object, first: date) -> object:
    value = _whole(written)
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= LONGEST_STREAM:
        return (first + timedelta(days=value - 1)).isoformat()
    return value
