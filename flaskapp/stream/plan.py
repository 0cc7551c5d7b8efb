"""What a stream is to write: all that its batches follow from. No I/O here."""

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
"""Characters of the run's id that go into the ids of its batches and records."""


def batch_id(run_id: str, number: int | Literal[""]) -> str:
    """Name a batch of a stream's records; with an empty number, what the names of all of them begin with."""
    return f"stream/{run_id[:SHORT]}/{number}"


@dataclass(frozen=True)
class StreamPlan:
    """A stream: the run's id, its world, and how its days become batches.

    `dated`: batch n holds the records of the world's n-th day. Otherwise a batch holds `batch_size` records, stamped
    when it is written, of a part of a day. `interval` is in seconds.
    """

    run_id: str
    world: Parameters
    dated: bool
    batch_size: int
    num_batches: int
    interval: float

    @property
    def short_id(self) -> str:
        """The run's id as it stands in the ids of batches and records."""
        return self.run_id[:SHORT]

    @classmethod
    def of(cls, request: StartStream, drifts: tuple[Drift, ...], now: datetime, salt: UUID) -> Self:
        """Plan what a request asks for.

        A dated stream's id is the hash of its world, so neither its length nor its pace is in it: asked for again with
        more batches, it goes on where it ended. Any other stream is one of its own, made so by `salt`.
        """
        dated = request.start_date is not None
        world = Parameters(
            seed=request.seed,
            start_date=request.start_date or now.date(),
            subscribers=request.subscribers or (request.batch_size if dated else _crowd(request.batch_size)),
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
        """Give the day of a dated stream's batch; the first is number 1."""
        return self.world.start_date + timedelta(days=number - 1)

    def to_json(self) -> str:
        """Write the plan as `from_json` reads it."""
        return json.dumps({**asdict(self), "world": json.loads(self.world.canonical())}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a stored plan.

        Raises:
            InvalidInput: another version of the simulator wrote it.
        """
        try:
            stored = json.loads(text)
            return cls(**{**stored, "world": _world(stored["world"])})
        except (KeyError, TypeError, ValueError, InvalidInput) as error:
            raise InvalidInput("The stream was planned by another version; start it anew.") from error


def _world(stored: dict[str, Any]) -> Parameters:
    drifts, start = parse_drifts(stored["drifts"]), date.fromisoformat(stored["start_date"])
    return Parameters(**{**stored, "start_date": start, "drifts": drifts})


def _crowd(batch_size: int) -> int:
    """Give a number of people of whom at least `batch_size` use their phone on any day: about 5 % do not."""
    return math.ceil(1.25 * batch_size) + 20
