"""A stream over HTTP, on real servers: every record in MySQL and in Kafka, once."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from apiflask import APIFlask
from sqlalchemy import Engine, select, update

from churn.columns import Cdr
from churn.ledger import ChurnBatchKind
from churn.tables import cdr, injected_drift, stream_runs
from driftline.publishing.publisher import Route
from driftline.store.database import in_transaction
from driftline.store.ledger import Batch, open_batch
from driftline.store.tables import labels, ledger, pending_batches
from flaskapp.stream.plan import StreamPlan, batch_id
from flaskapp.stream.request import read_start
from flaskapp.stream.runs import StreamRunState, advance, begin, stop
from tests.integration.flaskapp.observed import (
    contents,
    markers,
    published,
    record_count,
    record_ids,
    wait_for_state,
)
from tests.waiting import wait_until

DATED: dict[str, Any] = {
    "start_date": "2026-01-01",
    "step": "1d",
    "num_batches": 6,
    "subscribers": 60,
    "interval": 0,
    "drifts": [{"kind": "unit", "size": 60, "start": 3, "column": "DP_MOC_DURATION"}],
}


def test_an_undated_stream_sends_batch_size_records_stamped_now(client: Any, engine: Engine, route: Route) -> None:
    started = datetime.now(UTC).replace(tzinfo=None)
    answer = client.post("/start_stream", json={"batch_size": 40, "num_batches": 3, "interval": 0})
    assert answer.status_code == 200, answer.json
    assert answer.json["message"]
    status = wait_for_state(client, "finished")
    assert (status["records"], status["batches_done"], status["batches_published"]) == (120, 3, 3)
    rows = contents(engine, cdr)
    assert len(rows) == 120
    assert all(started <= row[0] <= datetime.now(UTC).replace(tzinfo=None) for row in rows)
    assert sorted(record["record_id"] for record in published(route)) == record_ids(engine)


def test_a_dated_stream_is_in_mysql_and_kafka_with_its_labels(client: Any, engine: Engine, route: Route) -> None:
    run = client.post("/start_stream", json=DATED).json["run_id"]
    status = wait_for_state(client, "finished")
    assert status["records"] == record_count(engine) > 300
    assert sorted(record["record_id"] for record in published(route)) == record_ids(engine)
    assert sorted(markers(route)) == [f"stream/{run[:16]}/{n}" for n in range(1, 7)]
    _check_labels(engine)
    truth = contents(engine, injected_drift)
    assert truth == [(run, 0, "unit", "DP_MOC_DURATION", 60.0, date(2026, 1, 3), None)]


def _check_labels(engine: Engine) -> None:
    """A label is in both places or in none: complete for days 1 to 3, ones only for days 4 and 5, none for day 6."""
    stored = {name: (value, known_at) for _, name, value, _, known_at, _ in contents(engine, labels)}
    days: dict[int, list[int | None]] = {}
    for stamp, user, *_, churned in contents(engine, cdr):
        days.setdefault(stamp.day, []).append(churned)
        assert stored.get(f"{stamp:%Y-%m-%d}/{user}", (None,))[0] == churned
    assert {day: set(values) for day, values in days.items() if day in (1, 2, 3)} == {day: {0, 1} for day in (1, 2, 3)}
    assert {*days[4], *days[5]} == {None, 1}
    assert set(days[6]) == {None}
    assert len(stored) == sum(value is not None for values in days.values() for value in values)
    for name, (value, known_at) in stored.items():
        day = datetime.fromisoformat(name[:10])
        assert (
            known_at - day == timedelta(days=4)
            if value == 0
            else timedelta(days=2) <= known_at - day <= timedelta(days=4)
        )


def test_a_message_contains_the_record(client: Any, engine: Engine, route: Route) -> None:
    client.post("/start_stream", json={**DATED, "num_batches": 1, "drifts": [_missing()]})
    wait_for_state(client, "finished")
    sent = {record["record_id"]: record for record in published(route)}
    assert any(record["DP_MOC_COUNT"] is None for record in sent.values())
    with engine.connect() as connection:
        for row in connection.execute(select(cdr)).mappings():
            record = sent[row[Cdr.RECORD_ID]]
            assert record.pop("batch_id").startswith("stream/")
            assert record == {
                **{name: row[name] for name in record},
                "DP_DATE": f"{row[Cdr.DATE]:%Y-%m-%dT%H:%M:%S.%fZ}",
            }
            assert {*record} == {*row} - {Cdr.PSEUDO_CHURNED, Cdr.BATCH_NUMBER}


def _missing() -> dict[str, object]:
    return {"kind": "missing", "size": 0.5, "start": 1, "column": "DP_MOC_COUNT"}


def test_a_repeated_request_adds_only_missing_batches(client: Any, engine: Engine, route: Route) -> None:
    first = client.post("/start_stream", json=DATED).json
    wait_for_state(client, "finished")
    contents_before = contents(engine, cdr), contents(engine, labels), len(published(route))
    again = client.post("/start_stream", json={**DATED, "interval": 5})
    assert (again.status_code, again.json["run_id"], again.json["state"]) == (200, first["run_id"], "finished")
    assert again.json["message"].startswith("Nothing was started: this stream already has 6 batches")
    assert (contents(engine, cdr), contents(engine, labels), len(published(route))) == contents_before
    more = client.post("/start_stream", json={**DATED, "num_batches": 8}).json
    assert (more["run_id"], more["next_batch"]) == (first["run_id"], 7)
    status = wait_for_state(client, "finished")
    assert status["records"] == record_count(engine) == len(published(route)) > contents_before[2]


def test_the_status_of_an_earlier_stream_is_asked_for_by_its_id(client: Any) -> None:
    first = client.post("/start_stream", json=DATED).json["run_id"]
    wait_for_state(client, "finished")
    second = client.post("/start_stream", json={**DATED, "seed": 2, "interval": 3600}).json["run_id"]
    client.post("/stop_stream")
    assert (client.get("/stream").json["run_id"], client.get("/stream").json["state"]) == (second, "stopped")
    earlier = client.get("/stream", query_string={"run_id": first}).json
    assert (earlier["run_id"], earlier["state"], earlier["progress"]) == (first, "finished", 1)
    missing = client.get("/stream", query_string={"run_id": "0" * 64})
    assert missing.status_code == 404
    assert missing.json["error"]["message"].startswith("There is no stream '0000")
    assert client.get("/stream", query_string={"run_id": "none"}).status_code == 400


def test_one_stream_runs_and_a_stopped_one_can_continue(client: Any, engine: Engine) -> None:
    slow = {**DATED, "interval": 3600}
    assert client.post("/start_stream", json=slow).status_code == 200
    refused = client.post("/start_stream", json={})
    assert (refused.status_code, refused.json["error"]["code"]) == (409, "stream_running")
    wait_until(lambda: client.get("/stream").json["batches_done"] == 1)
    assert client.get("/stream").json["state"] == "running"
    stopped = client.post("/stop_stream")
    assert (stopped.status_code, client.get("/stream").json["state"]) == (200, "stopped")
    assert client.post("/stop_stream").json["message"] == "No stream is running."
    assert client.post("/start_stream", json=DATED).json["next_batch"] == 2
    assert wait_for_state(client, "finished")["records"] == record_count(engine)


def test_a_restarted_simulator_resumes_the_stream(
    make_simulator: Callable[[], APIFlask], engine: Engine, route: Route
) -> None:
    first = make_simulator()
    client: Any = first.test_client()
    client.post("/start_stream", json={**DATED, "interval": 0.3})
    wait_until(lambda: client.get("/stream").json["batches_done"] >= 2)
    first.extensions["streaming"].close()
    assert record_count(engine) < 300
    status = wait_for_state(make_simulator().test_client(), "finished")
    assert (status["batches_done"], status["records"]) == (6, record_count(engine))
    assert sorted(record["record_id"] for record in published(route)) == record_ids(engine)


def test_a_failed_stream_has_a_reason(client: Any, engine: Engine) -> None:
    run = StreamPlan.of(*read_start(DATED, date(2026, 2, 1)), datetime.now(UTC), UUID(int=0)).run_id
    foreign = Batch(batch_id(run, 1), ChurnBatchKind.RECORDS, "0" * 64, 0, datetime.now(UTC))
    in_transaction(engine, lambda connection: open_batch(connection, foreign))
    assert client.post("/start_stream", json=DATED).json["run_id"] == run
    wait_until(lambda: client.get("/stream").json["state"] == "failed")
    status = client.get("/stream").json
    assert "in the ledger with other content" in status["last_error"]
    assert (status["batches_done"], record_count(engine)) == (0, 0)


def test_a_driver_error_is_shown_without_sql_and_data(client: Any, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql(f"ALTER TABLE {cdr.name} DROP COLUMN {Cdr.PSEUDO_CHURNED}")
    client.post("/start_stream", json=DATED)
    wait_until(lambda: client.get("/stream").json["state"] == "failed")
    assert client.get("/stream").json["last_error"] == "OperationalError: see the simulator's log"


def test_a_plan_of_another_version_fails_the_stream(make_simulator: Callable[[], APIFlask], engine: Engine) -> None:
    now = datetime.now(UTC)
    plan = StreamPlan.of(*read_start(DATED, now.date()), now, UUID(int=0))
    with engine.begin() as connection:
        begin(connection, plan, now)
        connection.execute(update(stream_runs).values(parameters='{"world": {}}'))
    client: Any = make_simulator().test_client()
    wait_until(lambda: client.get("/stream").json["state"] == "failed")
    assert "another version" in client.get("/stream").json["last_error"]
    assert client.post("/start_stream", json=DATED).json["message"].startswith("Streaming started")
    wait_for_state(client, "finished")


def test_a_stopped_stream_continues_to_the_requested_end(engine: Engine) -> None:
    now = datetime.now(UTC)

    def plan_of(num_batches: int) -> StreamPlan:
        return StreamPlan.of(*read_start({**DATED, "num_batches": num_batches}, now.date()), now, UUID(int=0))

    with engine.begin() as connection:
        run = begin(connection, plan_of(30), now)
        for _ in range(10):
            run = advance(connection, run, 1, now)
        stop(connection, now)
        for reached in (5, 10):
            run = begin(connection, plan_of(reached), now)
            assert (run.state, run.num_batches, run.next_batch) == (StreamRunState.STOPPED, 30, 11)
        run = begin(connection, plan_of(15), now)
        assert (run.state, run.num_batches, run.next_batch) == (StreamRunState.RUNNING, 15, 11)


def test_all_faults_are_in_one_400_and_nothing_changes(client: Any, engine: Engine) -> None:
    body = {"batch_size": 0, "num_batches": "3", "speed": 1, "drifts": [{"kind": "gravity", "size": 1, "start": 1}]}
    answer = client.post("/start_stream", json=body)
    assert (answer.status_code, answer.json["error"]["code"]) == (400, "invalid_input")
    faults = answer.json["error"]["details"]
    assert [fault.split(":")[0] for fault in faults] == ["batch_size", "num_batches", "speed", "drifts[0]"]
    assert "covariate" in faults[-1]
    assert client.get("/stream").json["state"] == "idle"
    assert contents(engine, ledger) == contents(engine, pending_batches) == []


def test_the_stream_labels_only_history_days_with_records(client: Any, engine: Engine) -> None:
    client.post("/start_stream", json={**DATED, "num_batches": 2, "drifts": []})
    wait_for_state(client, "finished")
    client.post("/start_stream", json={**DATED, "start_date": "2026-01-03", "drifts": []})
    wait_for_state(client, "finished")
    days = {row[0].day: row[-1] for row in contents(engine, cdr)}
    assert {days[1], days[2], days[3]} <= {0, 1}
    assert min(name for _, name, *_ in contents(engine, labels)).startswith("2026-01-01/")


@pytest.mark.parametrize("path", ["/nothing", "/start_stream"])
def test_every_error_has_the_same_shape(client: Any, path: str) -> None:
    assert set(client.get(path).json["error"]) == {"code", "message", "details"}


def test_it_is_ready_and_describes_itself(client: Any) -> None:
    assert client.get("/readyz").status_code == 200
    document: Any = client.get("/openapi.json").json
    assert {"/start_stream", "/stream", "/stop_stream"} <= set(document["paths"])
    assert set(document["paths"]["/start_stream"]["post"]["responses"]) >= {"200", "400", "409", "503"}
    assert "drifts" in document["components"]["schemas"]["StartStream"]["properties"]
