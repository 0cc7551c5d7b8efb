"""What one demo does, chosen once and kept, so that the demo run again is the same demo."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from stack.errors import StackError

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Scenario:
    """How large the demo is, in days and subscribers, and what goes wrong from the stream's `drift_day` (from 1) on.

    `drift` is none, or a kind that the simulator knows with its size and, where it takes one, its column.
    """

    history_days: int = 90
    stream_days: int = 30
    subscribers: int = 1000
    seed: int = 7
    drift: str = "unit"
    drift_size: float = 60.0
    drift_column: str | None = "DP_MOC_DURATION"
    drift_day: int = 15


@dataclass(frozen=True)
class Plan:
    """A scenario with its days: the history's last day is the day before the first streamed one."""

    scenario: Scenario
    history_last: date

    @property
    def history_first(self) -> date:
        """The first day of history."""
        return self.history_last - (self.scenario.history_days - 1) * DAY

    @property
    def stream_first(self) -> date:
        """The first streamed day."""
        return self.history_last + DAY

    @property
    def stream_last(self) -> date:
        """The last streamed day."""
        return self.history_last + self.scenario.stream_days * DAY

    @property
    def drift_first(self) -> date | None:
        """The first day with the injected drift, or None."""
        return None if self.scenario.drift == "none" else self.stream_first + (self.scenario.drift_day - 1) * DAY

    def stream_request(self) -> dict[str, Any]:
        """Give the body of the `POST /start_stream` that streams the planned days."""
        return {
            "batch_size": self.scenario.subscribers,
            "num_batches": self.scenario.stream_days,
            "interval": 0,
            "start_date": self.stream_first.isoformat(),
            "step": "1d",
            "subscribers": self.scenario.subscribers,
            "seed": self.scenario.seed,
            "drifts": [self._drift()] if self.drift_first else [],
        }

    def _drift(self) -> dict[str, Any]:
        scenario = self.scenario
        drift = {
            "kind": scenario.drift,
            "size": scenario.drift_size,
            "start": self.drift_first and self.drift_first.isoformat(),
        }
        return drift | ({"column": scenario.drift_column} if scenario.drift_column else {})

    @classmethod
    def kept(cls, file: Path, wanted: Scenario, now: datetime) -> Self:
        """Read the plan kept in `file`, or choose and keep one whose stream ends yesterday (UTC).

        Raises:
            StackError: another scenario is kept, and its data is in the database.
        """
        if not file.exists():
            yesterday = now.astimezone(UTC).date() - DAY
            chosen = cls(wanted, yesterday - wanted.stream_days * DAY)
            chosen._keep(file)
            return chosen
        stored = json.loads(file.read_text())
        plan = cls(Scenario(**stored["scenario"]), date.fromisoformat(stored["history_last"]))
        if plan.scenario != wanted:
            raise StackError(
                f"{file} keeps another scenario; `make clean` forgets it, with its data, or run that one again."
            )
        return plan

    def _keep(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        staged = file.with_suffix(".partial")
        content = {"scenario": asdict(self.scenario), "history_last": self.history_last.isoformat()}
        staged.write_text(json.dumps(content, indent=2) + "\n")
        staged.replace(file)
