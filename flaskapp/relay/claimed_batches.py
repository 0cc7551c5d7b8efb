"""Claims pending batches for one Kafka transaction, and reads their records as messages."""

import json
import logging
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import accumulate

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Engine,
    LargeBinary,
    RowMapping,
    Text,
    cast,
    func,
    literal,
    select,
    text,
)

from churn.columns import CDR_USAGE, RECORD_SCHEMA_VERSION, Cdr
from churn.ledger import RELAY
from churn.tables import cdr
from driftline.errors import DriftlineError
from driftline.publishing.publisher import Publication
from driftline.store.database import translated
from driftline.store.ledger import claim_all, settle

log = logging.getLogger(__name__)

MOST_BATCHES, MOST_RECORDS = 20, 10_000
"""The most batches and records claimed at once, except for a single batch that is larger."""
MOST_JOINED_RECORDS = 20_000
"""The most records that fit into one text of the server, whose `max_allowed_packet` is 16 MB by default."""
SEPARATOR = b"\n"
"""Separates two records in a text; it occurs neither in JSON nor in a subscriber's number."""
ALLOW_LONG_TEXTS = text("SET SESSION group_concat_max_len = 1073741824")
INSTANT_FORMAT = "%Y-%m-%dT%H:%i:%s.%fZ"


class BatchDamaged(DriftlineError):
    """The records of a batch are not those that the ledger has; check both tables."""


@dataclass(frozen=True)
class ClaimedBatches:
    """Pending batches claimed for one Kafka transaction, in the ledger's order.

    The claim is a lock on their pending rows, held by a connection of its own until `settle` or `release`.
    """

    batches: Sequence[RowMapping]
    _connection: Connection

    def read(self) -> list[Publication]:
        """Return each batch as it is published."""
        with translated():
            self._connection.execute(ALLOW_LONG_TEXTS)
            return [_publication(self._connection, batch) for batch in self.batches]

    def settle(self) -> None:
        """Delete the batches' pending rows and commit."""
        with translated():
            settle(self._connection, RELAY, *(batch["number"] for batch in self.batches))
            self._connection.commit()

    def release(self) -> None:
        """Close the connection; batches that are not settled stay pending."""
        self._connection.close()


def claim_batches(engine: Engine) -> ClaimedBatches | None:
    """Claim the first pending batches that nobody else has claimed; return None if there are none.

    Raises:
        DatabaseUnavailable, DatabaseBusy: nothing is claimed.
    """
    with translated(), ExitStack() as until_claimed:
        connection = until_claimed.enter_context(engine.connect())
        batches = _claim(connection)
        if not batches:
            return None
        until_claimed.pop_all()
        return ClaimedBatches(batches, connection)


def _claim(connection: Connection) -> Sequence[RowMapping]:
    """Claim as many batches as fit; sizes are known only after the claim, and a rollback releases the surplus."""
    most = MOST_BATCHES
    while True:
        batches = claim_all(connection, RELAY, most)
        most = _count_fitting([batch["rows_written"] for batch in batches])
        if most == len(batches):
            return batches
        connection.rollback()


def _count_fitting(sizes: Sequence[int]) -> int:
    """Return how many batches, from the first on, fit into one transaction: at least one if there are any."""
    fitting = sum(total <= MOST_RECORDS for total in accumulate(sizes))
    return max(fitting, min(1, len(sizes)))


def _publication(connection: Connection, batch: RowMapping) -> Publication:
    """Return a batch as it is published, or a dead letter, so that a damaged batch does not hold up later ones."""
    marker = {"batch_id": batch["batch_id"], "records": batch["rows_written"], "content_hash": batch["content_hash"]}
    trace = batch["traceparent"]
    try:
        records = messages(connection, batch)
    except BatchDamaged as error:
        log.error("Batch %s goes to the topic of dead letters: %s", batch["batch_id"], error)
        reason = json.dumps({**marker, "reason": str(error)})
        return Publication(batch["batch_id"], reason, (), RECORD_SCHEMA_VERSION, is_dead_letter=True, traceparent=trace)
    return Publication(batch["batch_id"], json.dumps(marker), records, RECORD_SCHEMA_VERSION, traceparent=trace)


def messages(connection: Connection, batch: RowMapping) -> list[tuple[bytes, bytes]]:
    """Return a batch's records as pairs of subscriber and JSON.

    The server builds the JSON and joins it to one or a few long texts, which is many times faster than row by row in
    Python. The label is not included, because it is known later. Run `ALLOW_LONG_TEXTS` on the connection first.

    Raises:
        BatchDamaged: the table has more or fewer records than the batch, or a subscriber's number is invalid.
    """
    statement = select(_join(cdr.c[Cdr.MSISDN]), _join(_json(batch))).where(
        cdr.c[Cdr.DATE].between(batch["first_event"], batch["last_event"]),
        cdr.c[Cdr.BATCH_NUMBER] == batch["number"],
    )
    if batch["rows_written"] > MOST_JOINED_RECORDS:  # one text for each last digit of the subscriber's number
        statement = statement.group_by(func.right(cdr.c[Cdr.MSISDN], 1))
    texts = [(numbers, records) for numbers, records in connection.execute(statement) if numbers is not None]
    groups = [(numbers.split(SEPARATOR), records.split(SEPARATOR)) for numbers, records in texts]
    if any(len(numbers) != len(records) for numbers, records in groups):
        raise BatchDamaged(
            f"A record of batch {batch['batch_id']} has a subscriber number with a line end; correct DP_CDR_Data."
        )
    pairs = [pair for numbers, records in groups for pair in zip(numbers, records, strict=True)]
    if len(pairs) != batch["rows_written"]:
        raise BatchDamaged(
            f"DP_CDR_Data has {len(pairs)} records of batch {batch['batch_id']}, but the ledger has "
            f"{batch['rows_written']}; check both tables."
        )
    return pairs


def _join(value: ColumnElement[str]) -> ColumnElement[str]:
    """Return the rows' values joined to one text, as bytes, which MySQL joins faster and Kafka needs anyway."""
    return func.aggregate_strings(cast(value, LargeBinary), SEPARATOR.decode())


def _json(batch: RowMapping) -> ColumnElement[str]:
    """Return a record of a batch as JSON, built by the server."""
    column = cdr.c
    parts: list[ColumnElement[str] | str] = [
        _text('{"record_id":'), func.json_quote(column[Cdr.RECORD_ID]),
        _text(f',"batch_id":{json.dumps(batch["batch_id"])},"{Cdr.DATE}":"'), _instant(batch),
        _text(f'","{Cdr.MSISDN}":'), func.json_quote(column[Cdr.MSISDN]),
    ]  # fmt: skip
    for name in CDR_USAGE:
        parts += [_text(f',"{name}":'), func.coalesce(column[name], _text("null"))]
    return func.concat(*parts, _text("}"))


def _instant(batch: RowMapping) -> ColumnElement[str]:
    """Return a record's time as text: a constant if all records have the same one, else formatted by the server."""
    if batch["first_event"] == batch["last_event"]:
        return _text(f"{batch['first_event']:%Y-%m-%dT%H:%M:%S.%fZ}")
    return func.date_format(cdr.c[Cdr.DATE], INSTANT_FORMAT)


def _text(value: str) -> BindParameter[str]:
    return literal(value, Text)
