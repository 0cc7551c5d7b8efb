"""A deletion as it was sent: the ids, or the value of a column, of the predictions that are to be erased."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from driftline.engine.catalogue import ColumnKind
from driftline.engine.frames.columns import category
from driftline.engine.frames.stray_values import to_text
from driftline.errors import InvalidInput
from driftline.ingest.errors import UnsupportedContent
from driftline.ingest.rows.content import NESTED, Content, Format, require_few_rows
from driftline.ingest.rows.json_rows import parsed_json
from driftline.ingest.rows.json_size import require_small_document
from driftline.ingest.rows.layouts import FEATURE_PREFIX, IngestLayout
from driftline.store.rows.writing.deletions import Subjects, subjects_of_ids, subjects_of_value
from driftline.store.rows.writing.prediction_writer import PredictionWriter

FORMS = 'send {"ids": [...]}, or {"column": "...", "value": ...}'


@dataclass(frozen=True, slots=True)
class Deletion:
    """The ids of the predictions to erase, or a feature (by the engine's name) and the value that they have."""

    ids: tuple[str, ...] = ()
    column: str | None = None
    value: str | float | None = None

    @classmethod
    def of(cls, content: Content, layout: IngestLayout) -> "Deletion":
        """Read a deletion; `layout` is that of nested rows.

        Raises:
            UnsupportedContent: it is not JSON. InvalidInput: with what is wrong. TooMuchContent: too many ids.
        """
        if content.format not in NESTED:
            raise UnsupportedContent(f"A deletion is sent as {Format.JSON}, not as {content.format}.")
        require_small_document(content.data, depth_of_rows=2)
        body = parsed_json(content.data, "The body")
        if not isinstance(body, dict) or {*body} not in ({"ids"}, {"column", "value"}):
            raise InvalidInput(f"The deletion is {to_text(body)}; {FORMS}.")
        return cls(_ids(body["ids"])) if "ids" in body else _value_deletion(body["column"], body["value"], layout)

    @property
    def content_hash(self) -> str:
        """The hash of the request."""
        content = json.dumps([sorted(self.ids), self.column, self.value])
        return hashlib.sha256(content.encode()).hexdigest()

    def subjects(self, connection: Connection, writer: PredictionWriter) -> Subjects:
        """Return the stored rows that it erases, locked."""
        if self.column is None or self.value is None:
            return subjects_of_ids(connection, writer, self.ids)
        return subjects_of_value(connection, writer, self.column, self.value)


def _ids(ids: Any) -> tuple[str, ...]:
    if not isinstance(ids, list) or not all(isinstance(name, str | int) for name in ids):
        raise InvalidInput(f"ids is {to_text(ids)}; send a list of texts.")
    require_few_rows(len(ids))
    return tuple(dict.fromkeys(map(category_of, ids)))


def category_of(value: str | float) -> str:
    """Return an id or a category as text, the same however it was sent; one that UTF-8 does not have is refused."""
    text = value if isinstance(value, str) else category(value)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InvalidInput(f"{to_text(text)} has half of a surrogate pair; send whole characters.") from error
    return text


def _value_deletion(name: Any, value: Any, layout: IngestLayout) -> Deletion:
    """Return the deletion of the rows that have a value in a feature, which is named as the user names it."""
    columns = {layout.sources[c.name].removeprefix(FEATURE_PREFIX): c for c in layout.spec.columns}
    if not isinstance(name, str) or name not in columns:
        raise InvalidInput(f"There is no feature {to_text(name)}; the model has {', '.join(columns)}.")
    column = columns[name]
    if isinstance(value, dict | list) or value is None or value == "":
        raise InvalidInput(f"The value is {to_text(value)}; send a text or a number.")
    if column.kind is ColumnKind.CATEGORICAL:
        return Deletion(column=column.name, value=category_of(value))
    try:
        return Deletion(column=column.name, value=float(value))
    except (ValueError, OverflowError) as error:
        msg = f"The value {to_text(value)} is not a number, and {name!r} has numbers; correct it."
        raise InvalidInput(msg) from error
