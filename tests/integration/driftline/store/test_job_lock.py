"""One run of a job at a time, also after the connection that held the lock was lost."""

import time
from contextlib import suppress

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from driftline.errors import Conflict
from driftline.store import job_lock
from driftline.store.job_lock import JobLock, only_one


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_lock, "PATIENCE_SECONDS", 0)


def lose_connection(engine: Engine) -> None:
    """End the other connections of this schema, as a restart of the server would."""
    others = text("SELECT id FROM information_schema.processlist WHERE db = :name AND id <> connection_id()")
    deadline = time.monotonic() + 30
    with engine.connect() as connection:
        while numbers := connection.execute(others, {"name": engine.url.database}).scalars().all():
            assert time.monotonic() < deadline
            for number in numbers:
                with suppress(OperationalError):  # it has ended already
                    connection.execute(text(f"KILL {number}"))
            time.sleep(0.05)


def test_a_lost_lock_is_taken_again(engine: Engine) -> None:
    other = JobLock(engine, "stream")
    with only_one(engine, "stream") as lock:
        lock.hold()
        with pytest.raises(Conflict, match="Another run of stream"):
            other.hold()
        lose_connection(engine)
        assert not other.is_taken()
        lock.hold()
        assert other.is_taken()
        with pytest.raises(Conflict):
            other.hold()
    assert not other.is_taken()


def test_a_run_that_took_the_lock_meanwhile_is_respected(engine: Engine) -> None:
    lock, other = JobLock(engine, "stream"), JobLock(engine, "stream")
    lock.hold()
    lose_connection(engine)
    other.hold()
    with pytest.raises(Conflict):
        lock.hold()
    other.release()
    lock.hold()
    lock.release()
    assert not other.is_taken()
