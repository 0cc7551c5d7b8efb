"""Services for people on call: PagerDuty and Opsgenie. An incident is one alert there; follow-ups update or end it."""

import json
from typing import Any, ClassVar, Literal
from urllib.parse import quote

from pydantic import Field

from monitoring.alerts.channels.channel import Channel
from monitoring.alerts.channels.outbound import post
from monitoring.alerts.channels.secrets import SecretFolder, SecretName
from monitoring.alerts.messages.alert import Alert, Delivery
from monitoring.alerts.messages.wording import facts, headline, text
from monitoring.incidents.standing import Severity

HttpUrl = r"^https?://[^\s/@]+(/\S*)?$"


class PagerDutyChannel(Channel):
    """A service of PagerDuty (Events API v2); the incident's thread is its `dedup_key`."""

    threads: ClassVar[bool] = True
    digests: ClassVar[bool] = False
    type: Literal["pagerduty"]
    secret: SecretName = Field(description="the integration key")
    url: str = Field("https://events.pagerduty.com/v2/enqueue", pattern=HttpUrl)

    def send(self, delivery: Delivery, secrets: SecretFolder) -> None:
        """Trigger or resolve the incident's alert."""
        alert = delivery.alerts[0]
        event: dict[str, Any] = {
            "routing_key": secrets.read(self.secret),
            "event_action": "resolve" if alert.kind.ends else "trigger",
            "dedup_key": delivery.thread,
            "payload": {
                "summary": headline(alert),
                "source": alert.model,
                "severity": "critical" if alert.severity is Severity.ALERT else "warning",
                "custom_details": _details(alert, delivery),
            },
        }
        if alert.incident_url:
            event["links"] = [{"href": alert.incident_url, "text": "Incident"}]
        headers = {"Content-Type": "application/json"}
        post(self.url, json.dumps(event).encode(), headers, allow_internal=self.allow_internal)


class OpsgenieChannel(Channel):
    """A team of Opsgenie; the incident's thread is its alert's alias, follow-ups are notes, and the last closes it."""

    threads: ClassVar[bool] = True
    digests: ClassVar[bool] = False
    type: Literal["opsgenie"]
    secret: SecretName = Field(description="the API key")
    url: str = Field("https://api.opsgenie.com", pattern=HttpUrl)

    def send(self, delivery: Delivery, secrets: SecretFolder) -> None:
        """Create the incident's alert, add a note to it, or close it."""
        alert = delivery.alerts[0]
        headers = {"Authorization": f"GenieKey {secrets.read(self.secret)}", "Content-Type": "application/json"}
        base = f"{self.url.rstrip('/')}/v2/alerts"
        path, body = f"{base}/{quote(delivery.thread)}/notes?identifierType=alias", {"note": text(delivery)}
        if alert.kind.ends:
            path = f"{base}/{quote(delivery.thread)}/close?identifierType=alias"
        elif delivery.is_first:
            path, body = base, _created(alert, delivery)
        post(path, json.dumps(body).encode(), headers, allow_internal=self.allow_internal)


def _created(alert: Alert, delivery: Delivery) -> dict[str, Any]:
    return {
        "message": delivery.title[:130],
        "alias": delivery.thread,
        "description": text(delivery),
        "details": _details(alert, delivery),
        "source": "Driftline",
        "priority": "P2" if alert.severity is Severity.ALERT else "P3",
    }


def _details(alert: Alert, delivery: Delivery) -> dict[str, str]:
    """Return the facts by name; those without a name go on from the one before."""
    details: dict[str, str] = {"Delivery": delivery.id}
    current = ""
    for name, fact in facts(alert):
        current = name or current
        details[current] = f"{details[current]} {fact}" if current in details else fact
    return details
