"""The simulated world: any day's records and labels, from the parameters alone. No I/O here."""

from datetime import date, timedelta
from functools import lru_cache

import numpy as np
import pandas as pd

from churn.columns import TRAILING_DAYS, Cdr
from driftline.errors import InvalidInput
from flaskapp.world.calibration import Floats
from flaskapp.world.churn import Labels, Risk, chances, draw_labels, solve_intercept, usage_logit
from flaskapp.world.drifts import Drift, DriftKind
from flaskapp.world.frames import NUMBER, label_frame, record_frame, truth_frame
from flaskapp.world.media import Medium
from flaskapp.world.parameters import Parameters
from flaskapp.world.parts import split
from flaskapp.world.population import Ints, populate
from flaskapp.world.recording import recorded, stamps
from flaskapp.world.usage import Levels, Usage, usage_of_day

COUNTS = tuple(medium.value.count for medium in Medium)


class World:
    """A simulated world that can be read day by day in any order; only the few days used last are in memory.

    Drift is applied to true usage, then to the chance of churn, then labels are drawn, then usage is recorded. Every
    subscriber-day with a record has a label: 1 with the probability that its last seven days of true usage give it.
    """

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self.people = populate(parameters.seed, parameters.subscribers)
        self._usage = lru_cache(maxsize=TRAILING_DAYS + 1)(self._draw_usage)
        self._labels = lru_cache(maxsize=parameters.label_delay + 2)(self._draw_labels)

    def records_of_day(self, day: date, labels_as_of: date | None = None) -> pd.DataFrame:
        """Return the day's records, one per subscriber with any usage, ordered by `number`, which is unique in the day.

        Columns `RECORD_COLUMNS`: DP_DATE is an aware instant of the day, usage is Int64 (seconds, bytes), and
        PSEUDO_CHURNED (Int8) is NULL unless it is known by the end of the day `labels_as_of`.

        Raises:
            InvalidInput: the day is before the world's start date.
        """
        if day < self.parameters.start_date:
            first = self.parameters.start_date
            raise InvalidInput(
                f"The world's records start on {first}; request that day or a later one instead of {day}."
            )
        labels, usage = self._labels(day), self._usage(day)
        is_known = self._known_on(day) <= (labels_as_of.toordinal() if labels_as_of else 0)
        values = recorded(usage, self.people, day, self.parameters.drifts)
        return record_frame(self.people, stamps(self.people, day), values, labels, is_known)

    def labels_known_on(self, day: date, since: date | None = None) -> pd.DataFrame:
        """Return the labels that become known on this day, of records from `since` on (default: the start date).

        Columns `LABEL_COLUMNS`: number, DP_DATE and DP_MSISDN of the whole-day record, PSEUDO_CHURNED (0 or 1) and
        KNOWN_AT, the end of this day. A 1 is known one to `label_delay` days after its record, a 0 after `label_delay`.
        """
        first = max(day - timedelta(days=self.parameters.label_delay), since or self.parameters.start_date)
        days = [first + timedelta(days=n) for n in range((day - first).days)]
        frames = [self._label_frame(d, self._known_on(d) == day.toordinal()) for d in days]
        return pd.concat(frames, ignore_index=True) if frames else self._label_frame(day, np.zeros(1, np.bool_))

    def chances_of_day(self, day: date) -> pd.DataFrame:
        """Return the true chance behind each label of a day: number, DP_MSISDN, chance. The monitor never reads it."""
        numbers = np.flatnonzero(self._usage(day).has_record)
        columns = {NUMBER: numbers, Cdr.MSISDN: self.people.msisdn[numbers], "chance": self._chances(day)[numbers]}
        return pd.DataFrame(columns)

    def split(self, frame: pd.DataFrame, parts: int, *, keep_empty: bool = False) -> list[pd.DataFrame]:
        """Cut a day's records, or some of them, into `parts` periods whose usage sums to the whole (`parts.split`)."""
        return split(frame, parts, self.parameters.seed, keep_empty=keep_empty)

    def truth(self) -> pd.DataFrame:
        """Return the injected drifts as rows of the truth schema: `TRUTH_COLUMNS`."""
        return truth_frame(self.parameters.drifts)

    @property
    def intercept(self) -> float:
        """The intercept of the churn curve at which this population, undrifted, churns at 14 %."""
        return solve_intercept(self.people.seed, self.people.subscribers)

    def _active(self, day: date, kind: DriftKind) -> list[Drift]:
        return [drift for drift in self.parameters.drifts if drift.kind is kind and drift.active(day)]

    def _levels(self, day: date) -> Levels:
        factors: dict[Cdr, float] = {}
        for drift in self._active(day, DriftKind.COVARIATE):
            for column in (drift.column,) if drift.column else COUNTS:
                factors[column] = factors.get(column, 1.0) * (1.0 + drift.size)
        unreplaced = np.prod([1.0 - drift.size for drift in self._active(day, DriftKind.MIX)])
        return Levels(factors, 1.0 - float(unreplaced))

    def _risk(self, day: date) -> Risk:
        slope = np.prod([1.0 - 2.0 * drift.size for drift in self._active(day, DriftKind.CONCEPT)])
        return Risk(float(slope), sum(drift.size for drift in self._active(day, DriftKind.PRIOR)))

    def _draw_usage(self, day: date) -> Usage:
        return usage_of_day(self.people, day.toordinal(), self._levels(day))

    def _chances(self, day: date) -> Floats:
        """Return the chance per subscriber, 0 for those without a record."""
        has_record = self._usage(day).has_record
        logit = usage_logit([self._usage(day - timedelta(days=n)) for n in reversed(range(TRAILING_DAYS))])
        result = np.zeros(self.people.subscribers)
        result[has_record] = chances(
            logit[has_record], self.people.plan_logit[has_record], self.intercept, self._risk(day)
        )
        return result

    def _draw_labels(self, day: date) -> Labels:
        has_record, delay = self._usage(day).has_record, self.parameters.label_delay
        return draw_labels(self.people, day.toordinal(), has_record, self._chances(day), delay)

    def _known_on(self, day: date) -> Ints:
        """Return the ordinal of the day at whose end each subscriber's label of this day is known."""
        labels = self._labels(day)
        return day.toordinal() + np.where(labels.churned, labels.delay, self.parameters.label_delay)

    def _label_frame(self, day: date, selected: np.ndarray) -> pd.DataFrame:
        known_on = self._known_on(day)
        return label_frame(self.people, stamps(self.people, day), self._labels(day), known_on, selected)
