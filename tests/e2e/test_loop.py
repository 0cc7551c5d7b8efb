"""Record in, report out: what the monitor says on both sides of each injected drift."""

import json
from contextlib import closing
from datetime import date, timedelta
from typing import Any

import pytest
from kafka import KafkaConsumer, TopicPartition
from sqlalchemy import func, inspect, select, text
from sqlalchemy.exc import DBAPIError

from churn.columns import Topic
from churn.tables import cdr, churn_predictions, injected_drift
from churn.truth import truth_schema, with_truth
from stack.demo.plan import Plan
from stack.testing.isolated_stack import IsolatedStack, chunks
from tests.unit.driftline.lineage.recorders import checked

Chunk = dict[str, Any]


@pytest.fixture(scope="session")
def days(loop: IsolatedStack, plan: Plan) -> dict[int, Chunk]:
    """The monitor's chunks by the number of their day in the stream."""
    return {(date.fromisoformat(chunk["start"][:10]) - plan.history_last).days: chunk for chunk in chunks(loop)}


def verdicts(days: dict[int, Chunk], first: int, last: int) -> list[str]:
    return [days[number]["verdict"] for number in range(first, last + 1)]


def result(chunk: Chunk, kind: str, method: str, subject: str = "model") -> Chunk:
    key = (kind, method, subject)
    chunk_result: Chunk = next(row for row in chunk["results"] if (row["kind"], row["method"], row["subject"]) == key)
    return chunk_result


def test_the_days_are_the_planned_ones(loop: IsolatedStack, plan: Plan) -> None:
    assert Plan.from_json(json.loads((loop.var / "demo.json").read_text())) == plan


def test_every_streamed_day_has_its_chunk(days: dict[int, Chunk], plan: Plan) -> None:
    assert sorted(days) == list(range(1, plan.scenario.stream_days + 1))
    assert all(400 < chunk["rows"] <= 500 for chunk in days.values())


def test_clean_days_with_their_labels_do_not_alert(days: dict[int, Chunk]) -> None:
    states = verdicts(days, 1, 7)
    assert "alert" not in states
    assert states.count("ok") >= 5


def test_a_broken_unit_is_alerted_and_its_column_named(days: dict[int, Chunk]) -> None:
    assert "alert" in verdicts(days, 8, 11)
    assert any("M_Out_Call_Time" in days[number]["drifted"] for number in (9, 10, 11))
    assert result(days[12], "drift", "kolmogorov_smirnov", "M_Out_Call_Time")["state"] == "warn"
    assert result(days[12], "drift", "kolmogorov_smirnov", "M_In_Call_Time")["value"] < 0.1


def test_only_labels_show_concept_drift(days: dict[int, Chunk]) -> None:
    assert "alert" in verdicts(days, 21, 23)
    for number in (22, 23):
        assert days[number]["drifted"] == []
        realized, estimated = (result(days[number], kind, "roc_auc") for kind in ("realized", "estimated"))
        assert realized["state"] in ("warn", "alert")
        assert estimated["state"] == "ok", "the estimate is blind to it by construction"
        assert estimated["value"] - realized["value"] > 0.1


def test_days_without_their_labels_are_never_ok(days: dict[int, Chunk], plan: Plan) -> None:
    newest = plan.scenario.stream_days
    for number in range(newest - 2, newest + 1):
        assert days[number]["verdict"] != "ok"
        assert days[number]["provisional"]
        assert days[number]["labelled"] < days[number]["rows"]


def test_the_terminal_holds_findings_against_what_was_put_in(loop: IsolatedStack, plan: Plan) -> None:
    output = (loop.var / "demo.txt").read_text()
    assert f"unit drift of DP_MOC_DURATION from {plan.day(8)} on" in output
    assert f"concept drift from {plan.day(21)} on" in output
    assert f"127.0.0.1:{loop.site.ports['monitor']}/models/churn" in output


def test_each_streamed_record_is_once_in_mysql_and_once_in_kafka(loop: IsolatedStack, plan: Plan) -> None:
    sent = published(loop)
    assert len(sent) == len({*sent})
    streamed = loop.content(cdr).query("DP_DATE >= @first", local_dict={"first": str(plan.stream_first)})
    assert sorted(sent) == sorted(streamed["record_id"])


def published(loop: IsolatedStack) -> list[str]:
    """Read the ids of all committed records with a reader of another library than the one that wrote them."""
    servers = {"bootstrap_servers": loop.site.bootstrap_servers, "enable_auto_commit": False}
    with closing(KafkaConsumer(isolation_level="read_committed", **servers)) as reader:
        partitions = [TopicPartition(Topic.CDR_RECORDS, n) for n in reader.partitions_for_topic(Topic.CDR_RECORDS)]
        reader.assign(partitions)
        reader.seek_to_beginning(*partitions)
        with closing(KafkaConsumer(isolation_level="read_uncommitted", **servers)) as consumer:
            ends = consumer.end_offsets(partitions)  # what a commit has decided on becomes readable a little later
        read: list[str] = []
        while any(reader.position(partition) < ends[partition] for partition in partitions):
            batches = reader.poll(timeout_ms=200).values()
            read += [json.loads(message.value)["record_id"] for messages in batches for message in messages]
        return read


def test_every_label_that_is_due_is_in(loop: IsolatedStack, plan: Plan) -> None:
    due = plan.day(plan.scenario.stream_days - 3)
    with loop.engine().connect() as connection:
        statement = select(func.count(), func.count(cdr.c.PSEUDO_CHURNED)).where(
            due + timedelta(days=1) > cdr.c.DP_DATE
        )
        records, labelled = connection.execute(statement).one()
    assert records == labelled > 0


def test_stored_procedure_view_and_summary_answer_as_users_know_them(loop: IsolatedStack, plan: Plan) -> None:
    with loop.engine().connect() as connection:
        totals = connection.execute(text("CALL GetDailyCDRDataBatch(:day)"), {"day": plan.stream_first}).all()
        viewed = connection.execute(text("SELECT COUNT(*), COUNT(label) FROM model_predictions")).one()
    assert [row[0] for row in totals] == [plan.day(number) for number in range(1, plan.scenario.stream_days + 1)]
    assert viewed[0] == len(loop.content(churn_predictions))
    assert 0 < viewed[1] < viewed[0]


def test_serving_predicts_what_the_batch_predicted(loop: IsolatedStack, plan: Plan) -> None:
    day = plan.day(plan.scenario.stream_days)
    batch = loop.content(churn_predictions)
    batch = batch[batch["Date"] == day].head(200)
    rows = [{"subscriber": user, "at": f"{day}T00:00:00Z"} for user in batch["User"]]
    answer = loop.call("serving", "POST", "/predict", {"rows": rows, "log": False})
    answer.raise_for_status()
    served = answer.json()["predictions"]
    assert len(served) > 100
    assert [row["score"] for row in served] == pytest.approx([*batch["probability_1"]], abs=1e-6)
    assert [row["prediction"] for row in served] == [*batch["prediction"]]


def test_reports_and_plots_are_written(loop: IsolatedStack) -> None:
    assert "roc_auc" in (loop.var / "monitoring" / "performance_report.csv").read_text()
    assert list((loop.var / "monitoring").glob("*.png"))
    assert list((loop.var / "eda").glob("*.html"))


def test_the_monitor_cannot_see_what_was_injected(loop: IsolatedStack) -> None:
    if loop.external:
        pytest.skip("on an external server there is one account, its administrator's")
    with with_truth(loop.engine("simulator")).connect() as connection:
        assert len(connection.execute(select(injected_drift)).all()) == 2
    with pytest.raises(DBAPIError, match="denied"), with_truth(loop.engine("monitor")).connect() as connection:
        connection.execute(select(injected_drift))
    assert truth_schema(loop.site.database_name) not in inspect(loop.engine("monitor")).get_schema_names()


def test_each_result_has_its_lineage(loop: IsolatedStack) -> None:
    events = [checked(line) for line in loop.lineage.read_bytes().splitlines()]
    states = {(event["job"]["name"], event["eventType"]) for event in events}
    jobs = {"prepare_data", "train_model", "write_predictions", "poll.churn"}
    assert {(job, state) for job in jobs for state in ("START", "COMPLETE")} <= states
    assert "FAIL" not in {state for _, state in states}
    written = {event["job"]["name"]: {row["name"] for row in event.get("outputs", ())} for event in events}
    polls = [event for event in events if event["job"]["name"] == "poll.churn" and event["eventType"] == "COMPLETE"]
    read = {row["name"] for row in polls[-1]["inputs"]}
    assert read == {"churn.predictions", "churn.labels", "churn.reference"}
    assert read <= written["write_predictions"] | written["train_model"] | {"churn.labels"}


def test_a_second_stream_is_refused_only_while_one_runs(loop: IsolatedStack, plan: Plan) -> None:
    again = loop.call("simulator", "POST", "/start_stream", plan.stream_request())
    assert again.status_code == 200
    assert loop.call("simulator", "GET", "/stream").json()["state"] == "finished"
