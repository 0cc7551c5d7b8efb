"""Values of single rows in results and logs; a deletion erases these too."""

import re
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, and_, bindparam, select, update

from driftline.engine.quality.unseen_categories import without_example
from driftline.engine.results import Quality
from driftline.store.tables import chunk_revisions, ingest_log, results

Spans = Collection[tuple[datetime, datetime]]
"""First and last event, both included, as naive instants in UTC."""
ERASED = "(erased)"
_QUOTED = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"")


def erase_examples(connection: Connection, model_number: int, spans: Spans) -> None:
    """Erase the names of categories in the results of all revisions of the chunks that some spans touch.

    All other results are of many rows.
    """
    key = [results.c[name] for name in ("model_version", "chunk_start", "revision", "subject_kind", "subject")]
    same = and_(
        results.c.model_number == chunk_revisions.c.model_number,
        results.c.model_version == chunk_revisions.c.model_version,
        results.c.chunk_start == chunk_revisions.c.chunk_start,
        results.c.revision == chunk_revisions.c.revision,
    )
    statement = (
        select(*key, results.c.segment, results.c.reason, chunk_revisions.c.chunk_end)
        .select_from(results.join(chunk_revisions, same))
        .where(
            results.c.model_number == model_number,
            results.c.method == Quality.UNSEEN_CATEGORIES.value,
            results.c.reason.is_not(None),
        )
    )
    changed = [
        {f"of_{name}": value for name, value in row.items() if name != "chunk_end"} | {"without": text}
        for row in connection.execute(statement).mappings()
        if (text := without_example(row["reason"])) != row["reason"]
        and any(first < row["chunk_end"] and last >= row["chunk_start"] for first, last in spans)
    ]
    if changed:
        names = (*(column.name for column in key), "segment", "reason")
        of_result = [results.c[name] == bindparam(f"of_{name}") for name in names]
        of_method = (results.c.model_number == model_number, results.c.method == Quality.UNSEEN_CATEGORIES.value)
        connection.execute(update(results).where(*of_method, *of_result).values(reason=bindparam("without")), changed)


def erase_from_log(connection: Connection, model_number: int, ids: Collection[str]) -> None:
    """Erase ids in the reasons for which batches of a model were refused."""
    log = ingest_log.c
    refused = select(log.number, log.reason).where(log.model_number == model_number, log.reason.is_not(None))
    values = {repr(name)[1:-1] for name in ids}
    changed = []
    for number, reason in connection.execute(refused):
        text = reason
        for quoted in _QUOTED.finditer(reason):
            if (quoted[1] or quoted[2] or "") in values:
                text = text.replace(quoted[0], ERASED)
        if text != reason:
            changed.append({"entry": number, "without": text})
    if changed:
        statement = update(ingest_log).where(log.number == bindparam("entry")).values(reason=bindparam("without"))
        connection.execute(statement, changed)
