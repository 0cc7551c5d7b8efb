"""Whatever comes in whatever order, and wherever polls come or die: the results are those of one pass at the end."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete

from driftline.engine.computation.fitted_methods import Summary, SummaryContent
from driftline.errors import PredictionConflict
from driftline.store import ledger
from driftline.store.database import in_transaction
from driftline.store.polling import pending_chunks as chunk_queue
from driftline.store.rows.encoding import columnar
from driftline.store.rows.writing import corrections, deletions
from driftline.store.tables import metadata
from monitoring.poll.poller import poll_once
from monitoring.poll.results.summary_store import StoredPart, SummaryStore
from tests.integration.monitoring.world import DAY, FIRST, NOW, MonitoredWorld, rows_of
from tests.integration.simulated_kill import SimulatedKill, killed_at
from tests.unit.example_counts import FEW

REGISTERED = {"models", "model_versions", "spec_revisions"}
ROWS = 120
Step = Callable[[MonitoredWorld, int], None]

days = st.integers(0, 2)
parts = st.builds(slice, st.sampled_from([0, 20, 60]), st.sampled_from([60, 100, ROWS]))


def predict(day: int, part: slice, world: MonitoredWorld, _number: int) -> None:
    """Store some rows of a day, or nothing where one of them has been corrected."""
    with suppress(PredictionConflict):
        world.predict(day, ROWS, part=part)


def label(day: int, part: slice, flipped: bool, world: MonitoredWorld, _number: int) -> None:
    world.label(day, ROWS, part=part, flipped=flipped)


def correct(day: int, part: slice, moved: bool, world: MonitoredWorld, number: int) -> None:
    """Give the stored rows among some of a day another value, or the next day."""
    frame = rows_of(FIRST + day * DAY, ROWS, seed=2).iloc[part]
    frame = frame.assign(minutes=float(number), event_time=frame["event_time"] + (DAY if moved else 0 * DAY))

    def work(connection: Connection) -> None:
        stored = world.store.writer.places_of(connection, frame["id"].tolist())
        rows = frame[frame["id"].isin(stored["id"])]
        batch = world.store.batch(columnar.to_table(rows, world.store.schema.all))
        corrections.correct(connection, world.store.writer, f"correct/{number}", batch, NOW + 90 * DAY)

    in_transaction(world.engine, work)


def erase(day: int, part: slice, world: MonitoredWorld, number: int) -> None:
    """Erase some rows of a day, stored or not, and their labels."""
    ids = rows_of(FIRST + day * DAY, ROWS, seed=2).iloc[part]["id"].tolist()[:15]

    def work(connection: Connection) -> None:
        model = world.version.model_number
        subjects = deletions.subjects_of_ids(connection, world.store.writer, ids)
        batch = ledger.Batch(f"erase/{number}", ledger.BatchKind.DELETION, f"{number:064}", subjects.rows, NOW, model)
        opened = ledger.open_batch(connection, batch, [ledger.Consumer.MONITOR])
        assert opened is not None
        deletions.erase(connection, opened, model, subjects)

    in_transaction(world.engine, work)


def poll(scheduled: bool, world: MonitoredWorld, _number: int) -> None:
    poll_once(world.engine, NOW, scheduled=scheduled)


def killed_poll(call: int, world: MonitoredWorld, _number: int) -> None:
    """Die before the transaction of a chunk is committed."""
    with killed_at(chunk_queue, "settle", call, after=True), suppress(SimulatedKill):
        poll_once(world.engine, NOW, scheduled=False)


STEPS = st.one_of(
    st.builds(partial, st.just(predict), days, parts),
    st.builds(partial, st.just(label), days, parts, st.booleans()),
    st.builds(partial, st.just(correct), days, parts, st.booleans()),
    st.builds(partial, st.just(erase), days, parts),
    st.builds(partial, st.just(poll), st.booleans()),
    st.builds(partial, st.just(killed_poll), st.integers(1, 3)),
)


def emptied(world: MonitoredWorld) -> None:
    """Forget all but the registered model."""
    with world.engine.begin() as connection:
        for table in metadata.sorted_tables:
            if table.name not in REGISTERED:
                connection.execute(delete(table))


@settings(
    max_examples=FEW,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(STEPS, min_size=4, max_size=14), part_rows=st.sampled_from([50, 250_000]))
def test_any_schedule_ends_like_one_pass(world: MonitoredWorld, steps: list[Step], part_rows: int) -> None:
    emptied(world)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("driftline.store.rows.reading.chunk_parts.LARGEST_LABEL_PART", part_rows)
        for number, step in enumerate(steps):
            step(world, number)
        poll_once(world.engine, NOW, scheduled=False)
    incremental = world.reported()
    world.forget()
    poll_once(world.engine, NOW, scheduled=False)
    afresh = world.reported()
    # A chunk that has lost all its rows keeps an empty revision; one pass over what is left has nothing to say of it.
    empty = {row["chunk_start"] for row in incremental["chunks"] if not row["rows_seen"]}
    for name in ("chunks", "verdicts"):
        incremental[name] = [row for row in incremental[name] if row["chunk_start"] not in empty]
    assert incremental == afresh


def test_a_deletion_while_a_state_is_read_leaves_its_chunk_queued(
    world: MonitoredWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.predict(0, ROWS, part=slice(0, 100))
    poll(False, world, 0)
    world.predict(0, ROWS, part=slice(100, ROWS))
    real = SummaryStore.summary
    deletions_done: list[None] = []

    def after_a_deletion(store: SummaryStore, content: SummaryContent, part: StoredPart) -> Summary:
        if not deletions_done:
            deletions_done.append(None)
            erase(0, slice(0, 60), world, 1)
        return real(store, content, part)

    with monkeypatch.context() as patch:
        patch.setattr(SummaryStore, "summary", after_a_deletion)
        summary = poll_once(world.engine, NOW, scheduled=False)
    assert (len(deletions_done), summary.chunks, summary.failed) == (1, 0, 0)
    poll(False, world, 0)
    incremental = world.reported()
    world.forget()
    poll(False, world, 0)
    assert world.reported() == incremental
