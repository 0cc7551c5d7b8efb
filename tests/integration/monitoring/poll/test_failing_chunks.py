"""A chunk that cannot be computed is tried again later, and stops no other."""

from collections.abc import Callable
from datetime import UTC, timedelta

from sqlalchemy import select, update

from driftline.engine.results import State
from driftline.store.polling import pending_chunks as chunk_queue
from driftline.store.tables import batch_data, pending_chunks
from monitoring.poll.poller import poll_once
from monitoring.report.chunk_views import ChunkRange, read_chunks
from tests.integration.monitoring.poll.polls import filled, on_mariadb, poll
from tests.integration.monitoring.world import DAY, FIRST, NOW, MonitoredWorld


def test_a_failing_chunk_is_retried_and_stops_no_other(world: MonitoredWorld) -> None:
    filled(world, days=4, labelled=0)
    repair = damage(world, 1)
    summary = poll(world, scheduled=True)
    assert (summary.chunks, summary.failed) == (3, 1)
    with world.engine.connect() as connection:
        version = world.version
        (report,) = read_chunks(connection, version, FIRST + 3 * DAY, ChunkRange(FIRST + DAY, FIRST + DAY))
    assert (report.verdict.state, report.verdict.provisional) == (State.ERROR, True)
    assert "rows of a batch cannot be read" in report.verdict.reasons[0]
    assert poll(world, scheduled=True).outcomes == (), "it must rest"
    assert poll(world).failed == 1
    (waiting,) = [row for row in world.rows(pending_chunks) if row["attempts"]]
    excess = waiting["retry_at"] - (NOW + 2 * chunk_queue.FIRST_RETRY_DELAY).replace(tzinfo=None)
    assert (waiting["attempts"], timedelta() <= excess < timedelta(minutes=1)) == (2, True)
    repair()
    assert poll(world).chunks == 1
    assert world.states()[1] == "pending_labels"
    assert [row for row in world.rows(pending_chunks) if row["attempts"]] == []


def damage(world: MonitoredWorld, day: int) -> Callable[[], None]:
    """Damage what is stored of a day, so that its chunk cannot be computed; return what repairs it."""
    of_day = batch_data.c.first_event == FIRST.replace(tzinfo=None) + day * DAY, batch_data.c.content == "outputs"
    with world.engine.begin() as connection:
        (stored,) = connection.execute(select(batch_data.c.data).where(*of_day)).one()
        connection.execute(update(batch_data).where(*of_day).values(data=b"damaged"))

    def repair() -> None:
        with world.engine.begin() as connection:
            connection.execute(update(batch_data).where(*of_day).values(data=stored))

    return repair


@on_mariadb
def test_a_failing_chunk_rests_longer_each_time_until_it_recovers(world: MonitoredWorld) -> None:
    """Scheduled polls try it after 20 s, then after twice as long each time, and after an hour at last."""
    filled(world, days=2, labelled=0)
    repair, now = damage(world, 0), NOW
    for attempt, seconds in enumerate((20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600)):
        has_others = attempt % 4 == 0  # there are, and they are computed whether it is tried or rests
        if has_others:
            world.predict(2 + attempt, 60)
        outcome = poll_once(world.engine, now, scheduled=True)
        assert (outcome.failed, outcome.chunks > 0) == (1, has_others), attempt
        (waiting,) = [row for row in world.rows(pending_chunks) if row["attempts"]]
        retry_at = waiting["retry_at"].replace(tzinfo=UTC)
        assert timedelta() <= retry_at - now - timedelta(seconds=seconds) < timedelta(minutes=1)
        if has_others:
            world.predict(20 + attempt, 60)
        rested = poll_once(world.engine, retry_at - timedelta(seconds=1), scheduled=True)
        assert (rested.failed, rested.chunks > 0, waiting["attempts"]) == (0, has_others, attempt + 1)
        now = retry_at
    repair()
    assert poll_once(world.engine, now - timedelta(seconds=1), scheduled=True).outcomes == ()
    assert poll_once(world.engine, now, scheduled=True).chunks == 1
    assert world.states()[0] == "pending_labels"
    assert [row for row in world.rows(pending_chunks) if row["attempts"]] == []
