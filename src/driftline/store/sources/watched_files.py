"""Records of the files of a watched folder that were read, written after the last batch of a file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.mysql import insert

from driftline.clock import naive_utc
from driftline.store.sources.ingest_log import LONGEST_REASON, IngestState
from driftline.store.tables import watched_files

LONGEST_ADDRESS = 1_024
FORGOTTEN_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class WatchedFile:
    """A file as it was read last: its address, its version and content then, its rows, and why it was refused."""

    address: str
    file_version: str
    content_hash: str
    state: IngestState = IngestState.STORED
    rows_sent: int = 0
    reason: str | None = None


def read(connection: Connection, model_number: int, kind: str) -> dict[str, WatchedFile]:
    """Return by address the files that were read for a model; `kind` is what they contain."""
    table = watched_files
    columns = [table.c[name] for name in WatchedFile.__dataclass_fields__]
    statement = select(*columns).where(table.c.model_number == model_number, table.c.kind == kind)
    rows = connection.execute(statement).mappings()
    files = (WatchedFile(**{**row, "state": IngestState(row["state"])}) for row in rows)
    return {file.address: file for file in files}


def record(connection: Connection, model_number: int, kind: str, file: WatchedFile, read_at: datetime) -> None:
    """Write the record of a file in place of an earlier one."""
    key = _hash(kind, file.address)
    values: Mapping[str, object] = {
        "kind": kind,
        "address": file.address,
        "file_version": file.file_version,
        "content_hash": file.content_hash,
        "state": file.state,
        "rows_sent": file.rows_sent,
        "reason": file.reason and file.reason[:LONGEST_REASON],
        "read_at": naive_utc(read_at),
    }
    statement = insert(watched_files).values(model_number=model_number, file_hash=key, **values)
    connection.execute(statement.on_duplicate_key_update(**values))


def forget(connection: Connection, model_number: int, kind: str, addresses: Sequence[str], until: datetime) -> int:
    """Delete the records of some files that are older than an instant; return their number."""
    table, deleted = watched_files, 0
    for first in range(0, len(addresses), FORGOTTEN_AT_ONCE):
        keys = [_hash(kind, address) for address in addresses[first : first + FORGOTTEN_AT_ONCE]]
        of_files = (table.c.model_number == model_number) & table.c.file_hash.in_(keys)
        deleted += connection.execute(delete(table).where(of_files, table.c.read_at < naive_utc(until))).rowcount
    return deleted


def _hash(kind: str, address: str) -> str:
    return sha256(f"{kind}/{address}".encode()).hexdigest()
