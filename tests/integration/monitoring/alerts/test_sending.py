"""Deliveries reach real servers that are slow, away or refuse, and senders that are killed lose nothing."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import Engine, update

from driftline.clock import naive_utc, utc_now
from driftline.engine.results import MODEL, Result, ResultKind, State
from driftline.settings import DatabaseSettings
from driftline.store.tables import alert_deliveries
from monitoring.alerts.alerts_file import AlertsFile
from monitoring.alerts.channels.secrets import SecretFolder
from monitoring.alerts.channels.webhook import DELIVERY, SIGNATURE, TIMESTAMP, signature
from monitoring.alerts.delivery_store import DeliveryState
from monitoring.alerts.messages.alert import DeliveryBody
from monitoring.alerts.report_mail import ReportMail
from monitoring.alerts.sending import ChannelSender, SenderThreads
from monitoring.alerts.service import AlertService
from monitoring.report.files.report_file import ReportFile
from stack import paths
from stack.servers.ports import any_free
from stack.services.certificates import Certificates
from stack.testing.fixtures import DatabaseAddress
from tests.integration.monitoring.alerts.conftest import Planning
from tests.integration.monitoring.alerts.receivers import ReceivingServer, http_receiver, mail_receiver
from tests.integration.monitoring.alerts.test_planning import deliveries
from tests.integration.monitoring.incidents.days import Days
from tests.integration.monitoring.world import NAME
from tests.waiting import wait_until

SECONDS = 30.0


@pytest.fixture
def database(mariadb: DatabaseAddress) -> DatabaseAddress:
    return mariadb


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    folder = tmp_path / "secrets"
    folder.mkdir()
    return folder


class Alerting:
    """A configuration in a file, its secrets, and what is sent with them."""

    def __init__(self, engine: Engine, folder: Path, secrets: Path) -> None:
        self.engine, self.secrets = engine, secrets
        self.path = folder / "alerts.yaml"

    def configure(self, **channels: dict[str, Any]) -> None:
        content = {"channels": channels, "routes": [{"channels": [*channels]}], "back_fill_days": 100_000}
        self.path.write_text(yaml.safe_dump(content))
        self.planning = Planning(self.engine, content)
        self.file = AlertsFile(self.path)
        self.alert_service = AlertService(self.engine, self.file, SecretFolder(self.secrets), utc_now)

    def secret(self, name: str, value: str) -> str:
        (self.secrets / name).write_text(value)
        return name

    def send(self, channel: str) -> bool:
        configuration = self.file.current()
        folder = SecretFolder(self.secrets)
        sender = ChannelSender(self.engine, channel, configuration.channel(channel), folder, configuration.attempts)
        return sender.send_due(utc_now)

    def make_due(self) -> None:
        """Let the pause after a failure be over."""
        with self.engine.begin() as connection:
            connection.execute(update(alert_deliveries).values(due_at=naive_utc(utc_now())))

    def states(self, channel: str) -> list[str]:
        return [str(delivery.state) for delivery in deliveries(self.engine, channel=channel)]


@pytest.fixture
def alerting(engine: Engine, tmp_path: Path, secrets: Path) -> Alerting:
    return Alerting(engine, tmp_path, secrets)


def test_mail_goes_over_starttls_and_waits_for_a_server_that_refuses(
    alerting: Alerting, days: Days, certificates: Certificates
) -> None:
    port = any_free()
    mail = {
        "type": "email", "server": "127.0.0.1", "port": port, "user": "driftline", "ca": str(certificates.authority),
        "secret": alerting.secret("password", "wrong"), "from": "d@example.org",
        "to": ["a@example.org", "b@example.org"],
    }  # fmt: skip
    alerting.configure(mail=mail)
    days.verdict(0, State.WARN)
    alerting.planning.plan()
    assert alerting.send("mail")
    assert "cannot be used" in (deliveries(alerting.engine)[0].problem or "")  # nothing listens
    with mail_receiver(certificates, port) as received:
        for right, status, problem in (
            (False, "250 OK", "answered 535"),
            (True, "451 later", "answered 451"),
            (True, "250 OK", None),
        ):
            alerting.secret("password", "right" if right else "wrong")
            received.status = status
            alerting.make_due()
            assert alerting.send("mail")
            assert problem is None or problem in (deliveries(alerting.engine)[0].problem or "")
        auc = Result(MODEL, ResultKind.REALIZED, "roc_auc", value=0.6, rows=9, state=State.WARN)
        days.verdict(1, State.ALERT, results=(auc,))
        alerting.planning.plan()
        assert alerting.send("mail")
    first, worse = received.mails
    assert received.recipients == ["a@example.org", "b@example.org"] * 2
    assert first["Subject"].startswith("flights: Warning since 1 Feb 2026 (incident ")
    assert worse["Subject"] == f"Re: {first['Subject']}"
    assert worse["In-Reply-To"] == worse["References"] == first["Message-ID"]
    parts: dict[str, Any] = {part.get_content_type(): part.get_payload(decode=True) for part in worse.walk()}
    assert b"Worse, Alert (was Warning)" in parts["text/plain"]
    assert b"cid:chart-1" in parts["text/html"]
    assert parts["image/png"].startswith(b"\x89PNG")
    assert first.get_content_type() == "text/plain"  # no chunk had a value to draw then


def test_mail_is_not_sent_to_a_server_that_nobody_vouches_for(
    alerting: Alerting, days: Days, certificates: Certificates
) -> None:
    port = any_free()
    alerting.configure(
        mail={"type": "email", "server": "127.0.0.1", "port": port, "from": "d@example.org", "to": ["a@example.org"]}
    )
    with mail_receiver(certificates, port) as received:
        outcome = alerting.alert_service.test("mail")
    assert (outcome.state, received.mails) == (DeliveryState.DEAD, [])
    assert "certificate is not trusted" in (outcome.problem or "")


def test_a_webhook_is_signed_with_the_old_and_the_new_key(
    alerting: Alerting, days: Days, receiver: ReceivingServer
) -> None:
    alerting.secret("key", "new\nold\n")
    alerting.configure(hook={"type": "webhook", "url": receiver.url("/hook"), "secret": "key", "allow_internal": True})
    days.verdict(0, State.ALERT)
    alerting.planning.plan()
    assert alerting.send("hook")
    (post,) = receiver.posts
    signed = [f"v1={signature(key, post.headers[TIMESTAMP], post.body)}" for key in ("new", "old")]
    assert post.headers[SIGNATURE] == ", ".join(signed)
    body = DeliveryBody.model_validate_json(post.body)
    assert (body.id, body.thread) == (post.headers[DELIVERY], body.id)
    assert [(alert.kind, alert.model, alert.rows) for alert in body.alerts] == [("opened", "flights", 9)]


def test_on_call_services_have_one_alert_for_an_incident(
    alerting: Alerting, days: Days, receiver: ReceivingServer
) -> None:
    internal = {"secret": alerting.secret("key", "K1"), "allow_internal": True}
    alerting.configure(
        pager={"type": "pagerduty", "url": receiver.url("/v2/enqueue")} | internal,
        genie={"type": "opsgenie", "url": receiver.url()} | internal,
    )
    receiver.status = 202
    for day, state in enumerate((State.WARN, State.ALERT, State.OK)):
        days.verdict(day, state)
        alerting.planning.plan()
        assert alerting.send("pager")
        assert alerting.send("genie")
    events = [json.loads(post.body) for post in receiver.posts if post.path == "/v2/enqueue"]
    assert [(event["event_action"], event["payload"]["severity"]) for event in events] == [
        ("trigger", "warning"), ("trigger", "critical"), ("resolve", "critical"),
    ]  # fmt: skip
    assert {event["routing_key"] for event in events} == {"K1"}
    assert len({event["dedup_key"] for event in events}) == 1
    posts = [post for post in receiver.posts if post.path != "/v2/enqueue"]
    alias = json.loads(posts[0].body)["alias"]
    assert [post.path for post in posts] == [
        "/v2/alerts",
        f"/v2/alerts/{alias}/notes?identifierType=alias",
        f"/v2/alerts/{alias}/close?identifierType=alias",
    ]
    assert {post.headers["Authorization"] for post in posts} == {"GenieKey K1"}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_apprise_reaches_internal_hosts_only_if_allowed(
    alerting: Alerting, receiver: ReceivingServer, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"json://127.0.0.1:{receiver.port}/s3cr3t"
    other = {"type": "apprise", "secret": alerting.secret("url", url)}
    alerting.configure(open=other | {"allow_internal": True}, closed=other)
    assert alerting.alert_service.test("open").state is DeliveryState.DELIVERED
    assert json.loads(receiver.posts[0].body)["title"] == "Driftline: a test of this channel"
    outcome = alerting.alert_service.test("closed")
    assert outcome.state is DeliveryState.DEAD
    assert "internal address 127.0.0.1" in (outcome.problem or "")
    alerting.secret("url", "nowhere-s3cr3t")
    assert "not a URL that apprise knows" in (alerting.alert_service.test("open").problem or "")
    assert len(receiver.posts) == 1
    assert "s3cr3t" not in caplog.text


def test_a_slow_and_a_dead_channel_delay_no_other(alerting: Alerting, days: Days, receiver: ReceivingServer) -> None:
    internal = {"type": "slack", "allow_internal": True}
    with http_receiver() as slow:
        slow.seconds = 3.0
        alerting.configure(
            slow=internal | {"secret": alerting.secret("slow", slow.url("/slow"))},
            dead=internal | {"secret": alerting.secret("dead", f"http://127.0.0.1:{any_free()}/")},
            quick=internal | {"secret": alerting.secret("quick", receiver.url("/quick"))},
        )
        threads = SenderThreads(alerting.engine, alerting.file, SecretFolder(alerting.secrets), utc_now)
        threads.start()
        begun = time.monotonic()
        for day, state in enumerate((State.WARN, State.ALERT, State.OK)):
            days.verdict(day, state)
            alerting.planning.plan()
        wait_until(lambda: len(receiver.posts) == 3, SECONDS)
        assert time.monotonic() - begun < 3 * slow.seconds
        assert "delivered" not in alerting.states("dead")
        assert alerting.states("slow")[2] == "pending"
        threads.stop()
    texts = [json.loads(post.body)["text"] for post in receiver.posts]
    assert ["New incident" in texts[0], "Worse" in texts[1], "Resolved" in texts[2]] == [True] * 3


@pytest.mark.kills
def test_killed_senders_lose_nothing_and_repeat_the_same_id(
    alerting: Alerting, days: Days, receiver: ReceivingServer, database_settings: DatabaseSettings
) -> None:
    hook = {"type": "webhook", "url": receiver.url(), "secret": alerting.secret("key", "k"), "allow_internal": True}
    alerting.configure(hook=hook)
    for day, state in enumerate((State.WARN, State.ALERT, State.OK)):
        days.verdict(day, state)
        alerting.planning.plan()
    receiver.seconds = 0.5
    environment = os.environ | {
        "DB_HOST": database_settings.host, "DB_PORT": str(database_settings.port), "DB_USER": database_settings.user,
        "DB_PASSWORD": database_settings.password.get_secret_value(), "DB_NAME": database_settings.name,
        "DRIFTLINE_SECRETS": str(alerting.secrets), "PYTHONPATH": f"{paths.ROOT}:{paths.ROOT / 'src'}",
    }  # fmt: skip
    command = (sys.executable, str(Path(__file__).with_name("sender_process.py")), str(alerting.path), "hook")
    for kills in range(3):
        posts = len(receiver.posts) + kills
        with subprocess.Popen(command, env=environment) as sender:
            if kills < 2:  # while the receiver, which has the message, has not answered yet
                wait_until(lambda posts=posts: len(receiver.posts) > posts, SECONDS)  # type: ignore[misc]
            else:
                wait_until(lambda: {*alerting.states("hook")} == {"delivered"}, SECONDS)
            sender.send_signal(signal.SIGKILL)
    stored = deliveries(alerting.engine, channel="hook")
    assert {delivery.state for delivery in stored} == {DeliveryState.DELIVERED}
    ids = [post.headers[DELIVERY] for post in receiver.posts]
    assert [*dict.fromkeys(ids)] == [delivery.id for delivery in stored], "lost, or out of order"
    bodies = {post.headers[DELIVERY]: post.body for post in receiver.posts}
    assert all(post.body == bodies[post.headers[DELIVERY]] for post in receiver.posts)
    assert len(ids) == len(stored) + 2, "a kill did not come between sending and recording"


def test_a_changed_file_is_used_without_a_restart(
    alerting: Alerting, receiver: ReceivingServer, caplog: pytest.LogCaptureFixture
) -> None:
    channel = {"type": "slack", "allow_internal": True, "secret": alerting.secret("url", receiver.url())}
    alerting.configure(one=channel)
    file, threads_before = alerting.file, threading.active_count()
    alerting.path.write_text("channels: [")
    assert [*file.current().channels] == ["one"]
    assert "Until then the channels and routes read last are used" in caplog.text
    content = {"channels": {"two": channel}, "routes": [{"channels": ["two"]}]}
    alerting.path.write_text(yaml.safe_dump(content))
    assert [*file.current().channels] == ["two"]
    assert threading.active_count() == threads_before


def test_a_poller_without_a_server_plans_and_sends_alerts(
    alerting: Alerting, days: Days, receiver: ReceivingServer, database_settings: DatabaseSettings
) -> None:
    hook = {"type": "webhook", "url": receiver.url(), "secret": alerting.secret("key", "k"), "allow_internal": True}
    alerting.configure(hook=hook)
    days.verdict(0, State.WARN)
    environment = {
        **os.environ, "DB_HOST": database_settings.host, "DB_PORT": str(database_settings.port),
        "DB_USER": database_settings.user, "DB_PASSWORD": database_settings.password.get_secret_value(),
        "DB_NAME": database_settings.name, "MONITOR_ALERT_SECRETS": str(alerting.secrets),
    }  # fmt: skip
    command = [sys.executable, "-m", "monitoring", "poll", "--once"]
    subprocess.run(command, env=environment, cwd=paths.ROOT, check=True, capture_output=True)
    assert (receiver.posts, alerting.states("hook")) == ([], [])  # another process, with channels, will plan them
    environment["MONITOR_ALERTS"] = str(alerting.path)
    subprocess.run(command, env=environment, cwd=paths.ROOT, check=True, capture_output=True)
    (post,) = receiver.posts
    assert DeliveryBody.model_validate_json(post.body).alerts[0].model == NAME
    assert alerting.states("hook") == ["delivered"]


def test_a_scheduled_report_is_sent_to_its_channels(alerting: Alerting, days: Days, certificates: Certificates) -> None:
    del days  # has registered the model
    port = any_free()
    alerting.configure(
        mail={
            "type": "email", "server": "127.0.0.1", "port": port, "user": "driftline", "from": "d@example.org",
            "ca": str(certificates.authority), "secret": alerting.secret("password", "right"), "to": ["a@example.org"],
        }
    )  # fmt: skip
    content = yaml.safe_load(alerting.path.read_text())
    files = [
        ReportFile("flights.html", "text/html; charset=utf-8", b"<p>"),
        ReportFile("flights.csv", "text/csv", b"a"),
    ]
    alerts = AlertService(alerting.engine, AlertsFile(alerting.path), SecretFolder(alerting.secrets), utc_now)
    report = ReportMail(alerts, ["mail", "unknown"])
    with mail_receiver(certificates, port) as received:
        report.send(NAME, "2026-06-01", files)
        content["routes"] = [{"channels": ["mail"], "owners": ["somebody else"]}]
        alerting.path.write_text(yaml.safe_dump(content))
        report.send(NAME, "2026-06-08", files)
    (mail,) = received.mails
    assert mail["Subject"] == "Driftline: report on flights, 2026-06-01"
    assert [part.get_filename() for part in mail.walk() if part.get_filename()] == ["flights.html", "flights.csv"]
