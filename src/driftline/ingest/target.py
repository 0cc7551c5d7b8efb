"""The model version that rows are ingested for, and the layouts in which they may come."""

from collections.abc import Collection
from dataclasses import dataclass
from threading import Lock

from sqlalchemy import Connection, Engine, func, select

from driftline.backtesting.options import OptionStyle
from driftline.engine.spec import Spec
from driftline.errors import NotFound
from driftline.ingest.rows.content import Content
from driftline.ingest.rows.layouts import IngestLayout, flat_layout, nested_layout
from driftline.store.database import translated
from driftline.store.model_numbers import model_number
from driftline.store.rows.predictions import PredictionStore
from driftline.store.tables import model_versions, models, spec_revisions
from driftline.store.version_key import VersionKey
from driftline.store.versions import registry

VERSIONS_KEPT = 1_000
"""How many versions a process remembers: reading a spec takes longer than finding out that it has not changed."""


@dataclass(frozen=True)
class Target:
    """A ready version of a model: its numbers, its newest spec, and how rows are laid out."""

    name: str
    model_number: int
    version: int
    revision: int
    flat: IngestLayout
    nested: IngestLayout

    @property
    def spec(self) -> Spec:
        """The spec of the version."""
        return self.flat.spec

    @property
    def store(self) -> PredictionStore:
        """The store of the model's predictions."""
        return PredictionStore(self.model_number, self.spec)

    def layout(self, content: Content, na_values: Collection[str], option: OptionStyle) -> IngestLayout:
        """Return the layout of a batch, with further words for missing values."""
        layout = self.nested if content.nested else self.flat
        return layout.with_words(na_values, option)


class Targets:
    """The targets of a database; a spec is read once. Thread-safe."""

    def __init__(self, engine: Engine) -> None:
        """Store the engine; nothing is connected."""
        self._engine, self._lock = engine, Lock()
        self._targets: dict[VersionKey, Target] = {}

    def of(self, name: str, version: int | None = None) -> Target:
        """Return the target of a version, by default the champion or the newest that is ready.

        Raises:
            NotFound: no such model or no such ready version.
        """
        with translated(), self._engine.connect() as connection:
            number, default_version, revision = _numbers(connection, name, version)
        key = VersionKey(number, default_version)  # a name may be another model's by now
        with self._lock:
            target = self._targets.get(key)
        if target is None or target.revision != revision:
            target = self._load(name, default_version)
            with self._lock:
                if len(self._targets) >= VERSIONS_KEPT:
                    self._targets.clear()
                self._targets[VersionKey(target.model_number, target.version)] = target
        return target

    def _load(self, name: str, version: int) -> Target:
        loaded = registry.load(self._engine, name, version)
        spec = loaded.spec
        flat, nested = flat_layout(spec, loaded.layout), nested_layout(spec, loaded.layout)
        return Target(name, loaded.model_number, version, loaded.spec_revision, flat, nested)


def _numbers(connection: Connection, name: str, version: int | None) -> tuple[int, int, int]:
    """Return the numbers of a model, of its version and of that one's newest spec revision."""
    number = model_number(connection, name)
    ready = (
        select(model_versions.c.version, models.c.champion)
        .join(models, models.c.number == model_versions.c.model_number)
        .where(model_versions.c.model_number == number, model_versions.c.state == registry.READY)
    )
    champions = {row.version: row.champion for row in connection.execute(ready)}
    if not champions or (version is not None and version not in champions):
        listed = ", ".join(map(str, sorted(champions))) or "none"
        searched = "ready version" if version is None else f"ready version {version}"
        raise NotFound(f"Model {name!r} has no {searched}. Ready: {listed}.")
    newest = max(champions)
    default_version = version or champions[newest] or newest
    revision = select(func.max(spec_revisions.c.revision)).where(
        VersionKey(number, default_version).rows_of(spec_revisions)
    )
    return number, default_version, int(connection.execute(revision).scalar_one())
