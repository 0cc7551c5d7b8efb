"""Which column of a user's data is behind each column of the engine, as it is stored with a version. No I/O here."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Self

from driftline.engine.results import EVENT_TIME, ID, LABEL, PREDICTION
from driftline.engine.spec import Spec


@dataclass(frozen=True, slots=True)
class ModelLayout:
    """The columns of a model's reference as its user has them; `driftline.backtesting.request.stored` reads rows by it.

    `sources` has the user's column for each of the engine's: event_time, id, prediction, label, scores and features; a
    column that the data does not have is not in it. `classes` has by column of the user which texts are 1 and which 0
    of a binary model. `threshold` makes a prediction of the score (1 from there on) where there is none; `scale_unit`
    and `scale_of_prediction` say what the score measures. `notations` are those of columns that hold numbers as text,
    `na_values` further words for a missing value.
    """

    sources: Mapping[str, str]
    classes: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    threshold: float | None = None
    scale_unit: str = "probability"
    scale_of_prediction: bool = False
    notations: Mapping[str, str] = field(default_factory=dict)
    na_values: tuple[str, ...] = ()

    @classmethod
    def canonical(cls, spec: Spec) -> Self:
        """Return the layout of data that has the engine's own names."""
        names = (EVENT_TIME, ID, PREDICTION, LABEL, *spec.scores, *spec.features)
        signs = {"0": 0.0, "1": 1.0, "false": 0.0, "true": 1.0}
        return cls({name: name for name in names}, dict.fromkeys((PREDICTION, LABEL), signs))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the layout that `to_json` was made from."""
        stored = json.loads(text)
        return cls(**stored | {"na_values": tuple(stored["na_values"])})

    def to_json(self) -> str:
        """Return the layout as JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)

    def with_id(self) -> Self:
        """Return the layout with a column of ids: predictions need them, though a reference may have none."""
        if ID in self.sources:
            return self
        names = self.sources.values()
        return replace(self, sources={**self.sources, ID: ID if ID not in names else "prediction_id"})

    def absent(self, spec: Spec) -> frozenset[str]:
        """Return the engine's output columns that nothing in the data stands for; their results have no value."""
        scored = bool(spec.scores) and set(spec.scores) <= set(self.sources)
        return frozenset(set(spec.outputs) - set(self.sources) - ({PREDICTION} if scored else set()))
