"""A closed chunk is due until it was sent in its present state, on MySQL as on MariaDB."""

from pathlib import Path

from sqlalchemy import Engine

from driftline.store.database import in_transaction
from monitoring.poll.poller import poll_once
from monitoring.series import sent_chunks
from monitoring.series.sent_chunks import ChunkState
from tests.integration.monitoring.world import NOW, MonitoredWorld, make_world


def due(world: MonitoredWorld) -> list[ChunkState]:
    poll_once(world.engine, NOW, scheduled=False)
    return in_transaction(world.engine, lambda connection: sent_chunks.changed(connection, world.version.key, 10))


def test_a_chunk_is_due_until_it_was_sent_in_its_present_state(engine: Engine, tmp_path: Path) -> None:
    world = make_world(engine, tmp_path)
    key = world.version.key
    world.predict(0)
    world.predict(1)
    (first,) = due(world)
    for _ in range(2):
        in_transaction(engine, lambda connection: sent_chunks.mark_sent(connection, key, [first]))
    assert due(world) == []
    world.label(0)
    (changed,) = due(world)
    assert (changed.start, changed.revision) == (first.start, first.revision + 1)
    in_transaction(engine, lambda connection: sent_chunks.mark_sent(connection, key, [changed]))
    assert due(world) == []
