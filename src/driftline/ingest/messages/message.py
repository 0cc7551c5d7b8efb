"""Messages of a topic, each one row in JSON: its model, and how rows are grouped into batches. No I/O here."""

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from driftline.errors import InvalidInput
from driftline.ingest.ingestion import Sent
from driftline.ingest.rows.content import Content, Format

MODEL, VERSION = "model", "version"
"""The fields of a message beside those of a row."""
MOST_LEVELS = 8
"""How deeply the JSON of a message may be nested; a row has two levels."""
LONGEST_TOPIC = 40
"""A longer topic is named by its hash in the key of a batch."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it was received: its place, its time in milliseconds since 1970, its bytes, and its trace."""

    topic: str
    partition: int
    offset: int
    time: int
    value: bytes | None
    key: bytes | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class MessageRow:
    """The row of a message: its model, its version (None for the newest), and the fields of the row."""

    message: Message
    model: str
    version: int | None
    fields: dict[str, Any]


def row_of(message: Message, model: str | None) -> MessageRow:
    """Return the row of a message; `model` is that of messages that name none.

    Raises:
        InvalidInput: it is not a JSON object or nested too deeply, names no model, or its version is not a number.
    """
    if message.value is None:
        raise InvalidInput("The message has no value; send a row as a JSON object.")
    try:
        fields = json.loads(message.value)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"The message is not valid JSON ({error}); send a row as a JSON object.") from error
    if not isinstance(fields, dict):
        raise InvalidInput("The message is not a JSON object; send a row as a JSON object.")
    if _is_deeper(fields, MOST_LEVELS):
        raise InvalidInput(f"The message is nested more than {MOST_LEVELS} levels deep; send a row as a JSON object.")
    name, version = fields.pop(MODEL, model), fields.pop(VERSION, None)
    if not isinstance(name, str):
        raise InvalidInput(f"The message names no model; add {MODEL!r}, or set INGEST_MODEL.")
    if version is not None and (not isinstance(version, int) or isinstance(version, bool)):
        raise InvalidInput(f"The message has the version {version!r}; send a whole number, or none for the newest.")
    return MessageRow(message, name, version, fields)


def _is_deeper(value: object, levels: int) -> bool:
    """Return whether objects and lists are nested more than `levels` deep; looks no deeper than that."""
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(part, levels - 1) for part in inner)


@dataclass(frozen=True, slots=True)
class RowGroup:
    """Rows of one model and version, of one partition and in its order, no id of them twice."""

    rows: tuple[MessageRow, ...]

    def __len__(self) -> int:
        """Return how many rows there are."""
        return len(self.rows)

    @property
    def model(self) -> str:
        """The name of the model."""
        return self.rows[0].model

    @property
    def sent(self) -> Sent:
        """The batch of the rows. Its key names the messages, so that a label may change, and change back."""
        lines = b"\n".join(json.dumps(row.fields).encode() for row in self.rows)
        content = Content(lines, Format.NDJSON, sum(len(row.message.value or b"") for row in self.rows))
        return Sent(content, key=self._key, version=self.rows[0].version, caller="kafka")

    @property
    def _key(self) -> str:
        first, last = self.rows[0].message, self.rows[-1].message
        topic = first.topic
        if len(topic) > LONGEST_TOPIC:
            topic = hashlib.sha256(topic.encode()).hexdigest()[:LONGEST_TOPIC]
        return f"{topic}/{first.partition}/{first.offset}-{last.offset}/{first.time}"

    def halves(self) -> tuple["RowGroup", "RowGroup"]:
        """Return the first and the second half of at least two rows."""
        middle = len(self.rows) // 2
        return RowGroup(self.rows[:middle]), RowGroup(self.rows[middle:])

    def parts(self, faulty: Collection[int]) -> tuple["RowGroup", ...]:
        """Return the rows that are `faulty`, by their numbers from 1, each alone, and the others together.

        Where none is, or all are, the parts are halves of at least two rows.
        """
        accepted = tuple(row for number, row in enumerate(self.rows, 1) if number not in faulty)
        if not 0 < len(accepted) < len(self.rows):
            return self.halves()
        alone = (RowGroup((row,)) for number, row in enumerate(self.rows, 1) if number in faulty)
        return RowGroup(accepted), *alone


def group_rows(rows: Iterable[MessageRow]) -> Iterator[RowGroup]:
    """Group rows by model and version; a repeated id begins a new group, after the one that has the id already."""
    open_groups: dict[tuple[str, int | None], list[MessageRow]] = {}
    ids: dict[tuple[str, int | None], set[str]] = {}
    for row in rows:
        target, row_id = (row.model, row.version), str(row.fields.get("id"))
        if row_id in ids.get(target, ()):
            yield RowGroup(tuple(open_groups.pop(target)))
            del ids[target]
        open_groups.setdefault(target, []).append(row)
        ids.setdefault(target, set()).add(row_id)
    for group in open_groups.values():
        yield RowGroup(tuple(group))


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that cannot be stored, and why."""

    message: Message
    reason: str


def parse_messages(messages: Sequence[Message], model: str | None) -> tuple[list[MessageRow], list[DeadLetter]]:
    """Return the rows of messages in their order, and the messages that have none."""
    rows, dead = [], []
    for message in messages:
        try:
            rows.append(row_of(message, model))
        except InvalidInput as error:
            dead.append(DeadLetter(message, str(error)))
    return rows, dead
