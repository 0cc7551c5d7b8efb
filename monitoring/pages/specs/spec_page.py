"""The spec of a version field by field, and what each revision changed. No I/O here."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from driftline.engine.spec import Spec
from driftline.store.versions.model_list import SpecRevision
from driftline.store.versions.registry import Version

WITHOUT_ROWS = ("columns",)
"""Fields that have a table of their own."""


@dataclass(frozen=True, slots=True)
class SpecField:
    """A field of the spec: its value as the spec's JSON has it, in words, and whether it is the default."""

    name: str
    value: str
    is_default: bool


@dataclass(frozen=True, slots=True)
class SpecChange:
    """A revision of the spec: when it was made, and the fields that it changed, as `name: before → after`."""

    revision: int
    created_at: datetime
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SpecPage:
    """The spec of a version, and its revisions, the newest first."""

    version: Version
    fields: tuple[SpecField, ...]
    changes: tuple[SpecChange, ...]


def spec_page(version: Version, revisions: Sequence[SpecRevision]) -> SpecPage:
    """Return the page of a version's spec; `revisions` are the oldest first."""
    spec = version.spec
    values = spec.model_dump(mode="json")
    defaults = Spec(columns=spec.columns, problem=spec.problem, classes=spec.classes).model_dump(mode="json")
    fields = tuple(
        SpecField(name, _words(value), value == defaults[name])
        for name, value in values.items()
        if name not in WITHOUT_ROWS
    )
    return SpecPage(version, fields, tuple(reversed(list(_changes(revisions)))))


def _changes(revisions: Sequence[SpecRevision]) -> Iterator[SpecChange]:
    for revision in revisions[:1]:
        yield SpecChange(revision.revision, revision.created_at, ())
    for before, after in pairwise(revisions):
        yield SpecChange(after.revision, after.created_at, tuple(difference(before.spec, after.spec)))


def difference(before: Spec, after: Spec) -> Iterator[str]:
    """Yield the fields that differ between two specs, as `name: before → after`."""
    old, new = before.model_dump(mode="json"), after.model_dump(mode="json")
    for name, value in new.items():
        if old[name] != value:
            yield f"{name}: {_words(old[name])} → {_words(value)}"


def _words(value: Any) -> str:
    """Return a value of the spec's JSON in words."""
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {_words(part)}" for name, part in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(map(_words, value)) or "none"
    return "none" if value is None or value == "" else str(value).lower() if isinstance(value, bool) else str(value)
