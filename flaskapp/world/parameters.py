"""The parameters of a world, checked. No I/O here."""

import json
from dataclasses import dataclass, field
from datetime import date, datetime

from driftline.errors import InvalidInput
from flaskapp.world.drifts import Drift

DEFAULT_SEED = 7
LARGEST_SEED = 2**63 - 1
MOST_SUBSCRIBERS = 5_000_000
LONGEST_DELAY = 30
FIRST_DAY, LAST_DAY = date(1970, 2, 1), date(2200, 1, 1)


@dataclass(frozen=True)
class Parameters:
    """A world: the same parameters give the same world, to the byte.

    `start_date` is the first day with records; earlier days exist only as trailing usage. People and days are the same
    for every start date, so a history and a stream with one seed share a world. `label_delay` is in days.

    Raises:
        InvalidInput: with every fault in `details`.
    """

    seed: int
    start_date: date
    subscribers: int = 1000
    drifts: tuple[Drift, ...] = field(default=())
    label_delay: int = 3

    def __post_init__(self) -> None:
        faults = [
            *_integer_faults("seed", self.seed, 0, LARGEST_SEED),
            *_integer_faults("subscribers", self.subscribers, 1, MOST_SUBSCRIBERS),
            *_integer_faults("label_delay", self.label_delay, 1, LONGEST_DELAY),
            *_day("start_date", self.start_date),
        ]
        if faults:
            raise InvalidInput("The world's parameters are invalid; correct the faults listed.", details=tuple(faults))

    def canonical(self) -> str:
        """Write the parameters as JSON, always the same text for the same parameters; its hash is a stream's id."""
        return json.dumps(_plain(self), sort_keys=True, separators=(",", ":"))


def _plain(parameters: Parameters) -> dict[str, object]:
    drifts = [
        {name: value.isoformat() if isinstance(value, date) else value for name, value in vars(drift).items()}
        for drift in parameters.drifts
    ]
    return {**vars(parameters), "start_date": parameters.start_date.isoformat(), "drifts": drifts}


def _integer_faults(name: str, value: object, low: int, high: int) -> list[str]:
    if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
        return []
    return [f"{name} must be a whole number from {low} to {high}, not {value!r}"]


def _day(name: str, value: object) -> list[str]:
    if isinstance(value, date) and not isinstance(value, datetime) and FIRST_DAY <= value < LAST_DAY:
        return []
    return [f"{name} must be a day from {FIRST_DAY} to before {LAST_DAY}, not {value!r}"]
