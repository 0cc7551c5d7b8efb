"""A plain model of what a monitor must have stored: dictionaries of what was acknowledged, and of what was not.

No I/O here.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

Label = tuple[datetime, int]
"""When it was known, and its value: of the labels of an id the largest pair is stored."""


@dataclass
class PlainModel:
    """The content of each prediction, and all labels of each id.

    A call that was not acknowledged may have stored its rows or not: they are in `maybe`. Senders have ids of their own
    and call at the same time; labels of an id are only added.
    """

    rows: dict[str, int] = field(default_factory=dict)
    labels: dict[str, set[Label]] = field(default_factory=dict)
    maybe_rows: dict[str, int] = field(default_factory=dict)
    maybe_labels: dict[str, set[Label]] = field(default_factory=dict)
    acknowledged: int = 0

    def store(self, ids: Iterable[str], content: int) -> None:
        """Store predictions, or other content of them."""
        for row_id in ids:
            self.rows[row_id] = content
            self.acknowledged += 1

    def label(self, labels: Mapping[str, Label]) -> None:
        """Store labels."""
        for row_id, label in labels.items():
            self.labels.setdefault(row_id, set()).add(label)
            self.acknowledged += 1

    def delete(self, ids: Iterable[str]) -> None:
        """Erase predictions and their labels."""
        for row_id in ids:
            self.rows.pop(row_id, None)
            self.labels.pop(row_id, None)

    def faults(self, rows: Mapping[str, int | None], labels: Mapping[str, Label]) -> Iterator[str]:
        """Yield what stored contents and labels have too few, too many or otherwise."""
        yield from self._row_faults(rows)
        yield from self._label_faults(labels)

    def _row_faults(self, rows: Mapping[str, int | None]) -> Iterator[str]:
        """Yield how stored predictions differ from those that were sent."""
        lost = sorted(self.rows.keys() - rows.keys())
        if lost:
            yield f"{len(lost)} predictions are lost: {lost[:5]}"
        extra = sorted(rows.keys() - self.rows.keys() - self.maybe_rows.keys())
        if extra:
            yield f"{len(extra)} predictions were deleted, refused or never sent: {extra[:5]}"
        expected = self.maybe_rows | self.rows
        differing = {
            name: (rows[name], expected[name]) for name in expected if rows.get(name, expected[name]) != expected[name]
        }
        if differing:
            first = dict([*differing.items()][:5])
            yield f"{len(differing)} predictions have other content (stored, expected): {first}"

    def _label_faults(self, labels: Mapping[str, Label]) -> Iterator[str]:
        """Yield how stored labels differ from those that were sent."""
        lost = sorted(self.labels.keys() - labels.keys())
        if lost:
            yield f"{len(lost)} labels are lost: {lost[:5]}"
        extra = sorted(labels.keys() - self.labels.keys() - self.maybe_labels.keys())
        if extra:
            yield f"{len(extra)} labels were deleted or never sent: {extra[:5]}"
        differing = {
            name: (labels[name], self._possible(name)) for name in labels if labels[name] not in self._possible(name)
        }
        if differing and not extra:
            yield f"{len(differing)} labels are not the newest (stored, possible): {dict([*differing.items()][:5])}"

    def _possible(self, row_id: str) -> set[Label]:
        """Return the labels that may be stored of an id."""
        certain, maybe = self.labels.get(row_id, set()), self.maybe_labels.get(row_id, set())
        least = {max(certain)} if certain else set()
        return least | {label for label in maybe if not certain or label > max(certain)}
