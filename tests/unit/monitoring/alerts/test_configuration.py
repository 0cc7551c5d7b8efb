"""The file of channels and routes: what it says, and what it may not say."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from driftline.errors import InvalidInput, NotFound
from monitoring.alerts.configuration import configuration_of, read_file
from monitoring.incidents.standing import Severity
from tests.unit.monitoring.alerts.examples import incident

SLACK = {"type": "slack", "secret": "slack_url"}
MAIL = {"type": "email", "server": "mail.example", "from": "d@example.org", "to": ["ops@example.org"]}
PAGER = {"type": "pagerduty", "secret": "key"}


def configured(channels: dict[str, Any], *routes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"channels": channels, "routes": list(routes), **more}


def test_the_first_route_of_a_channel_that_takes_an_incident_counts() -> None:
    routes = (
        {"channels": ["ops"], "models": ["churn*"], "severity": "alert"},
        {"channels": ["ops", "mail"], "models": ["flights"]},
        {"channels": ["mail"]},
    )
    configuration = configuration_of(configured({"ops": SLACK, "mail": MAIL}, *routes), "alerts.yaml")

    def places(model: str, worst: Severity) -> dict[str, int]:
        routes = configuration.routes_of(incident(model=model, worst=worst))
        return {name: configuration.routes.index(route) for name, route in routes}

    assert places("churn-nl", Severity.ALERT) == {"ops": 0, "mail": 2}
    assert places("churn-nl", Severity.WARN) == {"mail": 2}
    assert places("flights", Severity.WARN) == {"ops": 1, "mail": 1}
    assert places("other", Severity.ALERT) == {"mail": 2}


def test_routes_can_depend_on_the_owner_and_on_segments_out_of_bounds() -> None:
    routes = (
        {"channels": ["ops"], "owners": ["fraud *"]},
        {"channels": ["mail"], "segments": ["country=D*"]},
    )
    configuration = configuration_of(configured({"ops": SLACK, "mail": MAIL}, *routes), "alerts.yaml")

    def channels(owner: str | None, *segments: str) -> list[str]:
        return [name for name, _ in configuration.routes_of(incident(owner=owner), segments)]

    assert configuration.has_segment_routes
    assert channels("fraud team") == ["ops"]
    assert channels("fraud team", "country=FR", "country=DE") == ["ops", "mail"]
    assert channels(None, "country=FR") == channels("pricing") == []


ALL_TO = {"channels": ["a"]}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (configured({"a": SLACK}, {"channels": ["b"]}), "channels that do not exist: b; channels: a"),
        (configured({"a": SLACK, "b": SLACK}, ALL_TO), "no route names the channels b"),
        (configured({"a": SLACK | {"url": "https://x"}}, ALL_TO), "channels.a.slack.url"),
        (configured({"a": {"type": "fax"}}, ALL_TO), "channels.a"),
        (configured({"a": MAIL | {"user": "u"}}, ALL_TO), "set both user and secret"),
        (configured({"a": MAIL | {"to": ["o@e.org\nBcc: x@y"]}}, ALL_TO), "channels.a.email.to.0"),
        (configured({"a": MAIL | {"user": "u", "secret": "s", "security": "none"}}, ALL_TO), "a password needs"),
        (configured({"a": PAGER}, ALL_TO | {"digest": {"at": ["08:00"]}}), "a takes alerts one by one"),
        (configured({"a": SLACK | {"secret": "../etc/passwd"}}, ALL_TO), "channels.a.slack.secret"),
        (configured({"a": SLACK}, ALL_TO, attempts=0), "attempts"),
        ([1], "the file"),
    ],
)
def test_every_fault_is_named(content: object, words: str) -> None:
    with pytest.raises(InvalidInput) as error:
        configuration_of(content, "alerts.yaml")
    assert words in str(error.value)
    assert "alerts.yaml" in error.value.message


def test_all_faults_are_listed_and_say_what_to_write() -> None:
    channels = {"a": MAIL | {"port": "a lot"}, "b": SLACK | {"url": "https://x"}, "c": "https://hooks.example/T0/Kx9"}
    route = {"channels": ["a"], "severity": "bad", "quiet_hours": {"from": "late", "to": "07:00", "time_zone": 5}}
    with pytest.raises(InvalidInput) as error:
        configuration_of(configured(channels, route, attempts="0.5"), "alerts.yaml")
    assert error.value.details == (
        "channels.a.email.port: 'a lot' is not a whole number; write one such as 5",
        "channels.b.slack.url: unknown field; remove it or correct its name",
        "channels.c: the value is not a mapping; write one such as {field: value}",
        "routes.0.severity: 'bad' is unknown; choose 'warn' or 'alert'",
        "routes.0.quiet_hours.from: 'late' is not a time of day; write '20:30'",
        "routes.0.quiet_hours.time_zone: 5 is not a time zone; write UTC or Europe/Berlin",
        "attempts: '0.5' is not a whole number; write one such as 5",
    )


def test_all_contradictions_are_listed() -> None:
    with pytest.raises(InvalidInput) as error:
        configuration_of(
            configured({"a": SLACK, "p": PAGER}, {"channels": ["b", "p"], "digest": {"at": ["08:00"]}}), "f"
        )
    assert [fault.split(";")[0] for fault in error.value.details] == [
        "the file: routes name channels that do not exist: b",
        "the file: no route names the channels a",
        "the file: p takes alerts one by one",
    ]


def test_a_secret_that_was_written_into_the_file_is_not_repeated() -> None:
    with pytest.raises(InvalidInput) as error:
        configuration_of(configured({"a": SLACK | {"secret": "https://hooks.example/T0/Kx9"}}, ALL_TO), "alerts.yaml")
    assert "Kx9" not in str(error.value)


def test_a_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "alerts.yaml"
    file.write_text(yaml.safe_dump(configured({"a": SLACK}, ALL_TO)))
    configuration = read_file(file)
    assert [*configuration.channels] == ["a"]
    with pytest.raises(NotFound, match="channels: a"):
        configuration.channel("b")
    file.write_text("channels: [")
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_file(file)
