"""Makes the predictions of a request: finds the version, completes the rows, scores, logs and publishes them."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from driftline.artifacts.inputs import require_valid
from driftline.artifacts.output_rule import Scored
from serving.feed import PredictionFeed
from serving.models.served_models import ServedModels
from serving.models.served_version import ServedVersion
from serving.prediction_log import PredictionLog
from serving.stored_features import StoredFeatures


@dataclass(frozen=True, slots=True)
class RequestedRow:
    """A row of a request: features, or the subject whose stored features are used."""

    id: str | None = None
    at: datetime | None = None
    features: Mapping[str, Any] | None = None
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class CompleteRow:
    """A row with its features, as it is scored and logged."""

    features: Mapping[str, Any]
    at: datetime | None
    id: str | None


@dataclass(frozen=True, slots=True)
class Prediction:
    """The prediction of one row; `id` is None where it was not logged."""

    id: str | None
    at: datetime | None
    scored: Scored


@dataclass(frozen=True, slots=True)
class Predictions:
    """The predictions of a request, all of one version."""

    version: ServedVersion
    predictions: Sequence[Prediction]


@dataclass(frozen=True)
class Predictor:
    """Predicts with the current version of a model; safe for threads. Without stored rows every row needs features."""

    models: ServedModels
    log: PredictionLog
    feed: PredictionFeed
    stored_features: StoredFeatures | None = None

    @property
    def subject_field(self) -> str | None:
        """The field of a request that names the subject of a stored row; None without stored rows."""
        return self.stored_features.field if self.stored_features else None

    def predict(self, model: str | None, rows: Sequence[RequestedRow], *, logged: bool = True) -> Predictions:
        """Return the predictions of some rows; log and publish them, unless `logged` is False.

        Raises:
            NotFound: no such model or subject. NotServable: the model has no version that can be served.
            InvalidInput: with every fault of the rows; none of them is scored or logged.
        """
        version = self.models.get(model)
        complete = [self._complete(version, row) for row in rows]
        require_valid([*_faults(version, complete, logged=logged)])
        pairs = [*zip(complete, version.scorer.score([row.features for row in complete]), strict=True)]
        if logged:
            return Predictions(version, [self._log(version, row, scored) for row, scored in pairs])
        return Predictions(version, [Prediction(None, row.at, scored) for row, scored in pairs])

    def _complete(self, version: ServedVersion, row: RequestedRow) -> CompleteRow:
        if row.subject is None or self.stored_features is None:
            return CompleteRow(row.features or {}, row.at, row.id)
        stored = self.stored_features.find(version.features, row.subject, row.at)
        return CompleteRow(stored.features, stored.at, row.id)

    def _log(self, version: ServedVersion, row: CompleteRow, scored: Scored) -> Prediction:
        """Log and publish a prediction."""
        prediction = Prediction(self.log.add(version, row.id, row.at, row.features, scored), row.at, scored)
        if self.feed.is_watched:
            self.feed.publish(event_of(version, prediction))
        return prediction


def event_of(version: ServedVersion, prediction: Prediction) -> Mapping[str, Any]:
    """Return a prediction as the live feed has it: without its features, which may be about a person."""
    return {"model": version.name, "version": version.number, **fields_of(prediction)}


def fields_of(prediction: Prediction) -> dict[str, Any]:
    """Return a prediction as JSON has it; a regression has no score."""
    scored = prediction.scored
    fields: dict[str, Any] = {"id": prediction.id, "prediction": scored.prediction}
    if scored.scores is not None:
        fields["scores"] = scored.scores
    elif scored.score is not None:
        fields["score"] = scored.score
    return fields | ({"at": prediction.at.isoformat()} if prediction.at else {})


def _faults(version: ServedVersion, rows: Sequence[CompleteRow], *, logged: bool) -> Iterator[str]:
    """Yield what is wrong with rows: features that are missing or unknown, a missing time, a repeated id."""
    names = frozenset(version.features)
    counts = Counter(row.id for row in rows if row.id is not None)
    for number, row in enumerate(rows, 1):
        if missing := [name for name in version.features if name not in row.features]:
            yield f"row {number}: features are missing: {', '.join(missing)}; send null where one has no value."
        if unknown := sorted(row.features.keys() - names):
            yield f"row {number}: unknown features: {', '.join(unknown)}; the model has {', '.join(version.features)}."
        if logged and row.at is None and version.needs_times:
            yield (
                f"row {number}: `at` is missing, and the clock of model {version.name!r} follows the times of its "
                'rows; send the time of the event, or `"log": false` to try the model without monitoring it.'
            )
    for row_id, count in counts.items():
        if count > 1:
            yield f"{count} rows have the id {row_id!r}; give each row an id of its own."
