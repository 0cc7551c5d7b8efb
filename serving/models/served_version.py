"""One version of a model as it is served: its scorer, and what its monitor wants of a row."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import Engine

from driftline.artifacts.loading import load_scorer
from driftline.artifacts.scorer import Scorer
from driftline.engine.spec import ModelClock
from driftline.errors import Unavailable
from driftline.store.versions import registry
from driftline.store.versions.registry import Version


class NotServable(Unavailable):
    """No version of the model can be served; the message says what to do."""


@dataclass(frozen=True)
class ServedVersion:
    """A registered version with its scorer."""

    registered: Version
    scorer: Scorer

    @property
    def name(self) -> str:
        """The name of the model."""
        return self.registered.name

    @property
    def number(self) -> int:
        """The number of the version."""
        return self.registered.number

    @property
    def needs_times(self) -> bool:
        """Whether a logged row needs the time of its event: the model's clock follows its rows."""
        return self.registered.spec.clock is ModelClock.DATA

    @cached_property
    def features(self) -> tuple[str, ...]:
        """The features of a row, by the user's names: those of the scorer, then those that are only monitored."""
        sources = self.registered.layout.sources
        monitored = (sources.get(name, name) for name in self.registered.spec.features)
        return tuple(dict.fromkeys((*self.scorer.inputs.features, *monitored)))

    def describe(self) -> Mapping[str, Any]:
        """Return what `GET /model` says about it."""
        output_rule, inputs = self.scorer.output_rule, self.scorer.inputs
        return {
            "model": self.name,
            "version": self.number,
            "problem": str(output_rule.problem),
            "features": [
                {"name": name, "categories": [*inputs.categories[name]] if name in inputs.categories else None}
                for name in self.features
            ],
            "classes": [*output_rule.classes],
            "threshold": None if output_rule.classes or not self.registered.spec.scores else output_rule.threshold,
            "registered_at": self.registered.created_at,
            "needs_times": self.needs_times,
            "metrics": self.scorer.details.get("metrics", {}),
        }


def load_version(engine: Engine, name: str) -> ServedVersion:
    """Load the champion of a model, or its newest ready version, with its artifact.

    Raises:
        NotFound: no such model, or no ready version. NotServable: the version has no artifact.
        InvalidInput: the artifact cannot be read. ObjectMissing, StoreRefused, StoreUnavailable: as
            `driftline.objects` says.
    """
    version = registry.load(engine, name)
    if version.artifact_uri is None:
        raise NotServable(
            f"Version {version.number} of {name!r} was registered without an artifact; save its trees with "
            "`driftline.artifacts.saving.save_trees` and register it with `driftline models add --artifact ADDRESS`."
        )
    return ServedVersion(version, load_scorer(version.artifact_uri))
