"""What messages say, in each channel's own form."""

import json
from typing import Any

import pytest

from monitoring.alerts.channels.chat import MattermostChannel, SlackChannel, TeamsChannel
from monitoring.alerts.channels.mail import MailChannel
from monitoring.alerts.channels.webhook import signature
from monitoring.alerts.messages.alert import AlertKind, DeliveryBody, delivery_json_schema
from monitoring.alerts.messages.wording import headline, text, title
from monitoring.incidents.derivation import IncidentState
from monitoring.incidents.standing import Severity
from tests.unit.docs.pages import ROOT
from tests.unit.monitoring.alerts.examples import alert, delivery

FACTS = (
    "churn, version 2", "F1 0.5 is below its alert bound 0.6.", "12 May 2026, last day 16 May 2026 (UTC)",
    "31 % of the labels are in; later rows or labels may change the verdict", "12,300", "minutes", "carrier = AA",
    "https://driftline.example/incidents/7", "d1",
)  # fmt: skip


def test_a_text_says_all_that_is_known() -> None:
    assert title(alert()) == "churn: Alert since 12 May 2026 (incident 7)"
    written = text(delivery())
    assert written.startswith("churn, incident 7: New incident, Alert\n")
    assert [fact for fact in FACTS if fact not in written] == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": AlertKind.WORSE, "severity_before": Severity.WARN}, "Worse, Alert (was Warning)"),
        ({"kind": AlertKind.RESOLVED, "state": IncidentState.RESOLVED}, "Resolved: later chunks have outweighed it"),
        ({"kind": AlertKind.REVISED, "severity_before": Severity.ALERT}, "Revised, Alert"),
    ],
)
def test_the_headline_says_what_happened(changes: dict[str, Any], words: str) -> None:
    assert headline(alert(**changes)) == f"churn, incident 7: {words}"


def test_names_from_data_are_no_markup() -> None:
    slack = json.loads(SlackChannel(type="slack", secret="s").body(delivery()))["text"]
    assert "Drift of &lt;minutes&gt; &amp; @all lasts." in slack
    mattermost = json.loads(MattermostChannel(type="mattermost", secret="s").body(delivery()))["text"]
    assert "@all" not in mattermost


def test_a_card_of_teams_has_all_facts() -> None:
    message = json.loads(TeamsChannel(type="teams", secret="s").body(delivery()))
    (attachment,) = message["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = json.dumps(attachment["content"], ensure_ascii=False)
    assert [fact for fact in FACTS if fact not in card] == []


def test_mail_about_an_incident_is_one_conversation() -> None:
    channel = MailChannel.model_validate(
        {"type": "email", "server": "s", "from": "d@example.org", "to": ["a@example.org", "b@example.org"]}
    )
    first, later = channel.message(delivery()), channel.message(delivery(thread="d0"))
    assert (first["Message-ID"], first["In-Reply-To"]) == ("<d1@example.org>", None)
    assert later["In-Reply-To"] == later["References"] == "<d0@example.org>"
    assert later["Subject"] == f"Re: {first['Subject']}"


def test_a_digest_has_several_alerts() -> None:
    two = delivery(alert(), alert(model="flights", incident=8))
    assert "churn, incident 7" in text(two)
    assert "flights, incident 8" in text(two)
    body = DeliveryBody.of(two)
    assert DeliveryBody.model_validate_json(body.model_dump_json()) == body


def test_the_signature_is_that_of_openssl() -> None:
    """`printf '1700000000.{}' | openssl dgst -sha256 -hmac key`."""
    expected = "9d713ed406bb7076d4123f0dc2c39d2df5c654ed4b0cd56b52c8b4c940bd63ae"
    assert signature("key", "1700000000", b"{}") == expected


def test_the_schema_of_the_body_is_published() -> None:
    published = ROOT / "docs" / "reference" / "alert.schema.json"
    assert published.read_text() == delivery_json_schema(), "python -m monitoring.alerts schema > the file"
