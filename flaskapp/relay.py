"""The relay: each committed batch of records once into Kafka, whatever is killed when.

A batch's records and its marker go out in one Kafka transaction, then its pending row is deleted in MySQL. Killed
between the two, the next relay reads from the markers that the batch is out. Fencing first, it can't be overtaken.
"""

import json
from dataclasses import dataclass

from sqlalchemy import BindParameter, ColumnElement, Connection, Engine, RowMapping, Text, func, literal, select, text

from driftline import tables
from driftline.columns import CDR_USAGE, Cdr
from driftline.database import in_transaction, translated
from driftline.errors import DriftlineError
from driftline.ledger import Consumer, claim, settle
from flaskapp.publisher import Publication, Publisher

LINE = "\n"
"""Stands between two records in a text; JSON has none, and neither has a subscriber's number."""
LONG_TEXTS = text("SET SESSION group_concat_max_len = 1073741824")
INSTANT_FORMAT = "%Y-%m-%dT%H:%i:%s.%fZ"


@dataclass(frozen=True, slots=True)
class Relayed:
    """A batch that left the queue: `records` is 0 where an earlier relay had published it already."""

    batch_id: str
    records: int


def open_relay(engine: Engine, publisher: Publisher) -> set[str]:
    """Fence the predecessor, read the markers, then the ledger; give the pending batches that are out already.

    Raises:
        DatabaseUnavailable, KafkaUnavailable: open it again later.
    """
    publisher.open()
    markers = publisher.markers()
    return {batch_id for batch_id in _pending_ids(engine) if batch_id in markers}


def relay_once(engine: Engine, publisher: Publisher, out: set[str]) -> Relayed | None:
    """Publish one pending batch and settle it; give None where nothing is pending.

    `out` is what `open_relay` gave: batches in Kafka that MySQL does not know of yet. It is kept up here.

    Raises:
        DatabaseUnavailable: call it again. KafkaUnavailable: the transaction's fate is unknown; `open_relay` first.
    """

    def work(connection: Connection) -> Relayed | None:
        batch = claim(connection, Consumer.RELAY)
        if batch is None:
            return None
        published = 0 if batch["batch_id"] in out else _publish(connection, publisher, batch)
        out.add(batch["batch_id"])
        settle(connection, Consumer.RELAY, batch["number"])
        return Relayed(batch["batch_id"], published)

    relayed = in_transaction(engine, work)
    if relayed:
        out.discard(relayed.batch_id)
    return relayed


def _pending_ids(engine: Engine) -> list[str]:
    pending = tables.pending_batches
    statement = (
        select(tables.ledger.c.batch_id)
        .join(pending, pending.c.batch_number == tables.ledger.c.number)
        .where(pending.c.consumer == Consumer.RELAY)
    )
    with translated(), engine.connect() as connection:
        return list(connection.execute(statement).scalars())


def _publish(connection: Connection, publisher: Publisher, batch: RowMapping) -> int:
    records = messages(connection, batch)
    marker = {
        "batch_id": batch["batch_id"],
        "records": len(records),
        "content_hash": batch["content_hash"],
    }
    publisher.publish(Publication(batch["batch_id"], json.dumps(marker), records))
    return len(records)


def messages(connection: Connection, batch: RowMapping) -> list[tuple[str, str]]:
    """Read a batch's records as (subscriber, JSON).

    The server writes the JSON and joins it to a few long texts: many times faster than row by row in Python. The label
    is not in it: it comes later.

    Raises:
        DriftlineError: the table has more or fewer records than the batch; a person must look.
    """
    user = tables.cdr.c[Cdr.MSISDN]
    statement = (
        select(func.aggregate_strings(user, LINE), func.aggregate_strings(_json(batch["batch_id"]), LINE))
        .where(
            tables.cdr.c[Cdr.DATE].between(batch["first_event"], batch["last_event"]),
            tables.cdr.c[Cdr.BATCH_NUMBER] == batch["number"],
        )
        .group_by(func.right(user, 1))
    )
    connection.execute(LONG_TEXTS)
    texts = connection.execute(statement)
    records = [pair for users, json in texts for pair in zip(users.split(LINE), json.split(LINE), strict=True)]
    if len(records) != batch["rows_written"]:
        raise DriftlineError(
            f"Batch {batch['batch_id']} has {len(records)} records of {batch['rows_written']} written."
        )
    return records


def _json(batch_id: str) -> ColumnElement[str]:
    column = tables.cdr.c
    instant = func.date_format(column[Cdr.DATE], INSTANT_FORMAT)
    parts: list[ColumnElement[str] | str] = [
        _text('{"record_id":'), func.json_quote(column[Cdr.RECORD_ID]),
        _text(f',"batch_id":{json.dumps(batch_id)},"{Cdr.DATE}":"'), instant,
        _text(f'","{Cdr.MSISDN}":'), func.json_quote(column[Cdr.MSISDN]),
    ]  # fmt: skip
    for name in CDR_USAGE:
        parts += [_text(f',"{name}":'), func.coalesce(column[name], _text("null"))]
    return func.concat(*parts, _text("}"))


def _text(value: str) -> BindParameter[str]:
    return literal(value, Text)
