"""The plan of a demo, chosen once and saved, so that another run repeats the same demo."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from stack.errors import StackError

DAY = timedelta(days=1)


@dataclass(frozen=True)
class PlannedDrift:
    """A drift, with its days of the stream: 1 is the first, both are included, and without a last day it never ends.

    Kinds, sizes and columns are those of the simulator.
    """

    kind: str
    size: float
    first_day: int
    last_day: int | None = None
    column: str | None = None


MINUTES_FOR_SECONDS = PlannedDrift("unit", 60.0, 15, None, "DP_MOC_DURATION")
"""The demo's drift: from day 15 on, the duration of outgoing calls is recorded in minutes."""


@dataclass(frozen=True)
class Scenario:
    """The size of the demo in days and subscribers, and its drifts.

    `last_day` is the last streamed day in ISO form; None is the day before the first run. With a `retrain_day` a
    challenger is trained after that day of the stream.
    """

    history_days: int = 90
    stream_days: int = 30
    subscribers: int = 1000
    seed: int = 7
    last_day: str | None = None
    drifts: tuple[PlannedDrift, ...] = (MINUTES_FOR_SECONDS,)
    retrain_day: int | None = None

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        """Read a scenario from decoded JSON."""
        return cls(**stored | {"drifts": tuple(PlannedDrift(**drift) for drift in stored["drifts"])})


SCENARIOS = {
    "concept": Scenario(stream_days=80, drifts=(PlannedDrift("concept", 1.0, 8),), retrain_day=64),
}
"""Scenarios by name: a concept drift that turns the relation of usage and churn around, healed by a retraining."""


@dataclass(frozen=True)
class Plan:
    """A scenario with its days: the history's last day is the day before the first streamed one."""

    scenario: Scenario
    history_first: date
    history_last: date

    @property
    def stream_first(self) -> date:
        """The first streamed day."""
        return self.day(1)

    @property
    def stream_last(self) -> date:
        """The last streamed day."""
        return self.day(self.scenario.stream_days)

    def day(self, number: int) -> date:
        """Return a day of the stream by its number; 1 is the first."""
        return self.history_last + number * DAY

    @property
    def history_arguments(self) -> tuple[str, ...]:
        """The arguments of `flaskapp.load_history` for the planned history."""
        size = ("--days", str(self.scenario.history_days), "--subscribers", str(self.scenario.subscribers))
        return (*size, "--until", self.history_last.isoformat(), "--seed", str(self.scenario.seed))

    @property
    def history_days(self) -> tuple[str, ...]:
        """The arguments of a Spark job on the history."""
        return ("--start-date", self.history_first.isoformat(), "--end-date", self.history_last.isoformat())

    @property
    def streamed_days(self) -> tuple[str, ...]:
        """The arguments of a Spark job on the streamed days."""
        return self.days_arguments(1, self.scenario.stream_days)

    def days_arguments(self, first: int, last: int) -> tuple[str, ...]:
        """Return the arguments of a Spark job on days of the stream, by their numbers."""
        return ("--start-date", self.day(first).isoformat(), "--end-date", self.day(last).isoformat())

    def stream_request(self, first: int = 1, last: int | None = None) -> dict[str, Any]:
        """Return the body of the `POST /start_stream` that streams the planned days, or those of these numbers."""
        return {
            "batch_size": self.scenario.subscribers,
            "num_batches": (last or self.scenario.stream_days) - first + 1,
            "interval": 0,
            "start_date": self.day(first).isoformat(),
            "step": "1d",
            "subscribers": self.scenario.subscribers,
            "seed": self.scenario.seed,
            "drifts": [self._dated(drift) for drift in self.scenario.drifts],
        }

    def _dated(self, drift: PlannedDrift) -> dict[str, Any]:
        days = {"start": self.day(drift.first_day), "until": drift.last_day and self.day(drift.last_day)}
        dated = {name: day.isoformat() for name, day in days.items() if day}
        return {"kind": drift.kind, "size": drift.size, **dated} | ({"column": drift.column} if drift.column else {})

    @classmethod
    def ending(cls, scenario: Scenario, yesterday: date) -> Self:
        """Return the plan of a scenario whose stream ends on its `last_day`, or yesterday if it has none."""
        stream_last = date.fromisoformat(scenario.last_day) if scenario.last_day else yesterday
        history_last = stream_last - scenario.stream_days * DAY
        return cls(scenario, history_last - (scenario.history_days - 1) * DAY, history_last)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        """Read a plan from decoded JSON."""
        days = (date.fromisoformat(stored[name]) for name in ("history_first", "history_last"))
        return cls(Scenario.from_json(stored["scenario"]), *days)

    @classmethod
    def load_or_create(cls, file: Path, scenario: Scenario, now: datetime) -> Self:
        """Return the plan saved in `file`, or create and save one whose stream ends yesterday (UTC).

        Raises:
            StackError: the file has another scenario, whose data is in the database.
        """
        if not file.exists():
            plan = cls.ending(scenario, now.astimezone(UTC).date() - DAY)
            plan.save(file)
            return plan
        stored = json.loads(file.read_text())
        plan = cls.from_json(stored)
        if plan.scenario != scenario:
            raise StackError(
                f"{file} has another scenario; `make clean` removes it with its data, or run that scenario again."
            )
        return plan

    def save(self, file: Path) -> None:
        """Save the plan for later runs, in one atomic step."""
        file.parent.mkdir(parents=True, exist_ok=True)
        staged = file.with_suffix(".partial")
        days = {"history_first": self.history_first.isoformat(), "history_last": self.history_last.isoformat()}
        staged.write_text(json.dumps({"scenario": asdict(self.scenario), **days}, indent=2) + "\n")
        staged.replace(file)
