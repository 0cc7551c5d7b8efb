"""A model's predictions on real servers: immutable, each once, read by chunk with whatever labels are known."""

import threading
from datetime import UTC, datetime, timedelta
from functools import partial

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine, func, select

from driftline.engine.catalogue import ColumnKind
from driftline.engine.spec import ColumnSpec, Spec
from driftline.errors import BatchConflict, InvalidInput, PredictionConflict, SchemaMismatch
from driftline.store import ledger
from driftline.store.database import in_transaction
from driftline.store.rows import labels
from driftline.store.rows.encoding import columnar
from driftline.store.rows.predictions import PredictionStore
from driftline.store.rows.writing.prediction_writer import Written
from driftline.store.tables import labels as labels_table
from driftline.store.tables import ledger_slots, pending_batches

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
DAY = datetime(2026, 1, 1, tzinfo=UTC)
SPEC = Spec(columns=(ColumnSpec(name="minutes"), ColumnSpec(name="plan", kind=ColumnKind.CATEGORICAL)))


@pytest.fixture
def store(engine: Engine) -> PredictionStore:
    return PredictionStore(2, SPEC)


def scored(count: int, first: int = 0, day: datetime = DAY) -> pd.DataFrame:
    """Return scored rows of a day, with missing and awkward values."""
    return pd.DataFrame(
        {
            "event_time": pd.Timestamp(day),
            "id": [f"{day:%Y-%m-%d}/{n}" for n in range(first, first + count)],
            "model_version": 1,
            "scored_at": pd.Timestamp(NOW),
            "prediction": [n % 2 for n in range(count)],
            "probability_1": 0.25,
            "minutes": [None if n == 0 else n / 3 for n in range(count)],
            "plan": ["", "a,b", None, 'q"x'][:count] + ["yes"] * (count - 4),
        }
    )


def write(engine: Engine, store: PredictionStore, batch_id: str, frame: pd.DataFrame) -> Written:
    return in_transaction(engine, lambda connection: store.write(connection, batch_id, frame, NOW))


def stored(engine: Engine, store: PredictionStore) -> pd.DataFrame:
    with engine.connect() as connection:
        return store.read(connection, 1, DAY, DAY + timedelta(days=9))


def test_what_was_written_is_read_back_to_the_bit(engine: Engine, store: PredictionStore) -> None:
    assert write(engine, store, "p/1", scored(6)) == Written(new=6, same=0)
    read = stored(engine, store)
    sent = scored(6)
    assert read["minutes"].tolist()[1:] == sent["minutes"].tolist()[1:]
    assert pd.isna(read["minutes"][0])
    assert read["plan"].tolist() == ["", "a,b", None, 'q"x', "yes", "yes"]
    assert read["event_time"].tolist() == sent["event_time"].tolist()
    assert read["label"].isna().all()


def test_replay_changes_nothing_even_scored_at_another_time(engine: Engine, store: PredictionStore) -> None:
    write(engine, store, "p/1", scored(6))
    before = stored(engine, store)
    again = scored(6).assign(scored_at=pd.Timestamp(NOW + timedelta(hours=1)))
    assert write(engine, store, "p/1", again) == Written(new=0, same=6)
    assert write(engine, store, "p/2", again) == Written(new=0, same=6)
    pd.testing.assert_frame_equal(before, stored(engine, store))


def test_an_overlapping_batch_adds_only_what_is_new(engine: Engine, store: PredictionStore) -> None:
    write(engine, store, "p/1", scored(6))
    later = scored(6, day=DAY + timedelta(days=1))
    assert write(engine, store, "p/2", pd.concat([scored(6), later])) == Written(new=6, same=6)
    with engine.connect() as connection:
        slots = connection.execute(select(ledger_slots.c.batch_number, ledger_slots.c.slot)).all()
    assert len({number for number, _ in slots}) == 2
    assert len(slots) == 2, "the second batch touches only the day of its new rows"


def test_another_content_under_a_stored_id_is_refused_whole(engine: Engine, store: PredictionStore) -> None:
    write(engine, store, "p/1", scored(6))
    changed = scored(8)
    changed.loc[3, "minutes"] = 99.0
    with pytest.raises(PredictionConflict) as refused:
        write(engine, store, "p/2", changed)
    assert refused.value.details == ("id '2026-01-01/3'",)
    with pytest.raises(BatchConflict):
        write(engine, store, "p/1", changed)
    assert len(stored(engine, store)) == 6


def test_a_rival_with_other_content_is_seen_however_the_two_overlap(engine: Engine, store: PredictionStore) -> None:
    """The second writer waits on the first one's uncommitted id, then must find that it differs."""
    changed = scored(6)
    changed.loc[3, "minutes"] = 99.0
    outcome: list[Exception | Written] = []

    def write_changed() -> None:
        try:
            outcome.append(write(engine, store, "p/2", changed))
        except PredictionConflict as refused:
            outcome.append(refused)

    with engine.begin() as connection:
        store.write(connection, "p/1", scored(6), NOW)
        rival = threading.Thread(target=write_changed)
        rival.start()
        rival.join(0.5)
        assert rival.is_alive(), "it waits"
    rival.join(30)
    assert isinstance(outcome[0], PredictionConflict)
    assert len(stored(engine, store)) == 6


def test_the_future_is_refused(engine: Engine, store: PredictionStore) -> None:
    with pytest.raises(InvalidInput, match="2026-02-03 00:00 UTC, lies in the future"):
        write(engine, store, "p/1", scored(6, day=datetime(2026, 2, 3, tzinfo=UTC)))


@pytest.mark.parametrize(
    ("column", "value", "fault"),
    [
        ("probability_1", 1.5, "between 0 and 1"),
        ("prediction", 2, "0 or 1"),
        ("id", "x", "unique in the batch"),
        ("minutes", float("inf"), "infinite"),
    ],
)
def test_bad_rows_are_refused_and_nothing_is_written(
    engine: Engine, store: PredictionStore, column: str, value: float | str, fault: str
) -> None:
    changed = scored(6)
    changed[column] = value
    with pytest.raises(InvalidInput, match=fault):
        write(engine, store, "p/1", changed)
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(pending_batches)).scalar_one() == 0


def test_missing_columns_are_named(engine: Engine, store: PredictionStore) -> None:
    with pytest.raises(SchemaMismatch, match=r"missing: minutes\. Available: event_time"):
        write(engine, store, "p/1", scored(6).drop(columns="minutes"))


def label_frame(ids: list[str], value: int, known_at: datetime) -> pd.DataFrame:
    return pd.DataFrame({"id": ids, "value": value, "known_at": pd.Timestamp(known_at)})


def write_labels(engine: Engine, batch_id: str, frame: pd.DataFrame) -> bool:
    number = in_transaction(engine, lambda connection: labels.write_batch(connection, batch_id, 2, frame, NOW))
    return number is not None


def test_labels_may_come_before_their_prediction_and_be_revised(engine: Engine, store: PredictionStore) -> None:
    ids = [f"2026-01-01/{n}" for n in range(3)]
    assert write_labels(engine, "l/1", label_frame(ids, 0, DAY))
    write(engine, store, "p/1", scored(6))
    assert stored(engine, store)["label"].tolist()[:3] == [0, 0, 0]
    assert write_labels(engine, "l/2", label_frame(ids[:1], 1, DAY + timedelta(days=2)))
    assert not write_labels(engine, "l/2", label_frame(ids[:1], 1, DAY + timedelta(days=2)))
    read = stored(engine, store)
    assert read["label"].tolist()[:3] == [1, 0, 0]
    with engine.connect() as connection:
        assert connection.execute(select(labels_table.c.revision).order_by(labels_table.c.id)).scalars().all() == [
            2,
            1,
            1,
        ]


def test_a_batch_of_labels_finds_the_slots_of_its_predictions(engine: Engine, store: PredictionStore) -> None:
    day = DAY + timedelta(days=3)
    times = [timedelta(0), timedelta(hours=10, minutes=15), timedelta(hours=10.25, microseconds=-1), timedelta(days=1)]
    later = scored(4, day=day).assign(event_time=[pd.Timestamp(day + at) for at in times])
    write(engine, store, "p/1", pd.concat([scored(4), later]))
    labelled = [f"{day:%Y-%m-%d}/{n}" for n in range(1, 4)]
    write_labels(engine, "l/1", label_frame([*labelled, "2027-01-01/1"], 1, DAY))
    with engine.begin() as connection:
        claimed = ledger.claim(connection, ledger.Consumer.MONITOR)
        assert claimed is not None
        ledger.settle(connection, ledger.Consumer.MONITOR, claimed["number"])
        batch = ledger.claim(connection, ledger.Consumer.MONITOR)
        assert batch is not None
        assert batch["batch_id"] == "l/1"
        slots = store.slots_of_labels(connection, batch["number"])
    assert sorted(slots) == [(1, day + timedelta(hours=hours)) for hours in (10, 10.25, 24)]


def test_newest_and_count_follow_event_time(engine: Engine, store: PredictionStore) -> None:
    with engine.connect() as connection:
        assert store.newest(connection) is None
    write(engine, store, "p/1", pd.concat([scored(4), scored(5, day=DAY + timedelta(days=3))]))
    with engine.connect() as connection:
        assert store.newest(connection) == DAY + timedelta(days=3)
        assert store.count(connection, 1, DAY, DAY + timedelta(days=3)) == 4


def batches_over_days(seed: int) -> list[pd.DataFrame]:
    """Batches of random rows of five days, that overlap; the same id always has the same content."""
    rng = np.random.default_rng(seed)
    all_rows = pd.concat([scored(12, day=DAY + timedelta(days=n)) for n in range(5)], ignore_index=True)
    all_rows["event_time"] += pd.to_timedelta(rng.integers(0, 86_400, len(all_rows)), unit="s")
    return [all_rows.iloc[rng.permutation(len(all_rows))[: rng.integers(1, 40)]] for _ in range(8)]


@pytest.mark.parametrize("seed", range(3))
def test_chunk_by_chunk_the_rows_of_overlapping_batches_are_read_once(
    engine: Engine, store: PredictionStore, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(columnar, "cut", partial(columnar.cut, most_bytes=900))
    batches = batches_over_days(seed)
    written = [write(engine, store, f"p/{n}", batch) for n, batch in enumerate(batches)]
    expected = pd.concat(batches).drop_duplicates("id").sort_values(["event_time", "id"], ignore_index=True)
    assert [w.new + w.same for w in written] == [len(batch) for batch in batches]
    assert sum(w.new for w in written) == len(expected)
    spans = [(DAY + timedelta(hours=6 * n), DAY + timedelta(hours=6 * (n + 1))) for n in range(24)]
    with engine.connect() as connection:
        parts = [store.read(connection, 1, *span) for span in spans]
        assert [store.count(connection, 1, *span) for span in spans] == [len(part) for part in parts]
        assert store.newest(connection) == expected["event_time"].max()
    read = pd.concat([part for part in parts if len(part)], ignore_index=True)
    names = [*store.columns]
    pd.testing.assert_frame_equal(read[names], expected[names], check_dtype=False)


def test_labels_are_read_beside_the_rows_of_their_ids(engine: Engine, store: PredictionStore) -> None:
    for n, batch in enumerate(batches_over_days(9)):
        write(engine, store, f"p/{n}", batch)
    ids = stored(engine, store)["id"]
    arrived = pd.DataFrame({"id": ids[::3], "value": [n % 2 for n in range(len(ids[::3]))], "known_at": NOW})
    in_transaction(engine, lambda connection: labels.write_batch(connection, "l/1", 2, arrived, NOW))
    read = stored(engine, store).set_index("id")["label"]
    assert read.dropna().astype(int).to_dict() == dict(zip(arrived["id"], arrived["value"], strict=True))


def test_models_do_not_share_ids(engine: Engine, store: PredictionStore) -> None:
    write(engine, store, "p/1", scored(6))
    changed = scored(6).assign(minutes=1.0)
    assert write(engine, PredictionStore(3, SPEC), "p/2", changed) == Written(new=6, same=0)
    with pytest.raises(PredictionConflict):
        write(engine, store, "p/3", changed)
    assert stored(engine, PredictionStore(3, SPEC))["minutes"].tolist() == [1.0] * 6
