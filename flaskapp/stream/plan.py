"""The plan of a stream: everything that determines its batches. No I/O here."""

import hashlib
import json
import math
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal, Self
from uuid import UUID

from driftline.errors import InvalidInput
from flaskapp.stream.request import StartStream
from flaskapp.world.drifts import Drift, parse_drifts
from flaskapp.world.parameters import Parameters

SHORT = 16
"""Characters of the run's id in the ids of its batches and records."""


def batch_id(run_id: str, number: int | Literal[""]) -> str:
    """Return the id of a batch of a stream's records; with an empty number, the prefix of all these ids."""
    return f"stream/{run_id[:SHORT]}/{number}"


@dataclass(frozen=True)
class StreamPlan:
    """A stream: the run's id, its world, and how its days become batches.

    If `dated`, batch n contains the records of the world's n-th day. Otherwise a batch contains `batch_size` records
    of a part of a day, stamped when it is written. `interval` is in seconds.
    """

    run_id: str
    world: Parameters
    dated: bool
    batch_size: int
    num_batches: int
    interval: float

    @property
    def short_id(self) -> str:
        """The run's id as it appears in the ids of batches and records."""
        return self.run_id[:SHORT]

    @classmethod
    def of(cls, request: StartStream, drifts: tuple[Drift, ...], now: datetime, salt: UUID) -> Self:
        """Return the plan of a request.

        A dated stream's id is the hash of its world, without its length and interval: requested again with more
        batches, it continues where it ended. Any other stream is new, with an id from `salt`.
        """
        dated = request.start_date is not None
        default_subscribers = request.batch_size if dated else _enough_subscribers(request.batch_size)
        world = Parameters(
            seed=request.seed,
            start_date=request.start_date or now.date(),
            subscribers=request.subscribers or default_subscribers,
            drifts=drifts,
            label_delay=request.label_delay,
        )
        identity = world.canonical() if dated else str(salt)
        return cls(
            run_id=hashlib.sha256(identity.encode()).hexdigest(),
            world=world,
            dated=dated,
            batch_size=request.batch_size,
            num_batches=request.num_batches,
            interval=request.interval,
        )

    def day(self, number: int) -> date:
        """Return the day of a dated stream's batch; the first batch has number 1."""
        return self.world.start_date + timedelta(days=number - 1)

    def to_json(self) -> str:
        """Return the plan as JSON, for `from_json`."""
        return json.dumps({**asdict(self), "world": json.loads(self.world.canonical())}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a stored plan.

        Raises:
            InvalidInput: it was written by another version of the simulator.
        """
        try:
            stored = json.loads(text)
            return cls(**{**stored, "world": _world(stored["world"])})
        except (KeyError, TypeError, ValueError, InvalidInput) as error:
            raise InvalidInput("The stream was planned by another version of the simulator; start it again.") from error


def _world(stored: dict[str, Any]) -> Parameters:
    drifts, start = parse_drifts(stored["drifts"]), date.fromisoformat(stored["start_date"])
    return Parameters(**{**stored, "start_date": start, "drifts": drifts})


def _enough_subscribers(batch_size: int) -> int:
    """Return how many subscribers are needed for `batch_size` records a day: about 5 % have no usage on a day."""
    return math.ceil(1.25 * batch_size) + 20
