"""What an alert says, as JSON and as the body of a signed webhook. No I/O here."""

import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from driftline.engine.spec import Period
from monitoring.incidents.derivation import IncidentEventKind, IncidentState
from monitoring.incidents.standing import Severity


class AlertKind(StrEnum):
    """What happened in an incident since the last message about it: the kinds of its events, and two more.

    `revised`: late labels or another spec changed it; `merged`: it is a part of an earlier incident now.
    """

    OPENED = IncidentEventKind.OPENED.value
    WORSE = IncidentEventKind.WORSE.value
    BETTER = IncidentEventKind.BETTER.value
    REVISED = IncidentEventKind.REVISED.value
    RESOLVED = IncidentEventKind.RESOLVED.value
    WITHDRAWN = IncidentEventKind.WITHDRAWN.value
    MERGED = "merged"
    TEST = "test"

    @property
    def ends(self) -> bool:
        """Whether nothing is left to do about the incident."""
        return self in (AlertKind.RESOLVED, AlertKind.WITHDRAWN, AlertKind.MERGED)


class Alert(BaseModel):
    """News about an incident, with the facts of its last chunk in trouble."""

    model_config = ConfigDict(frozen=True)

    kind: AlertKind
    model: str
    version: int
    owner: str | None = Field(None, description="of the model; null if it has none")
    assigned_to: str | None = Field(None, description="who works on the incident")
    incident: int | None = Field(description="its number; null in a test")
    state: IncidentState = Field(description="of the incident")
    severity: Severity = Field(description="of the last chunk in trouble")
    worst: Severity
    severity_before: Severity | None = Field(None, description="severity in the previous message about the incident")
    since: datetime = Field(description="start of the first chunk in trouble")
    last: datetime = Field(description="start of the last chunk in trouble")
    period: Period
    time_zone: str = Field(description="of the chunks")
    news: str = Field(description="the most severe reason of the verdict that changed the incident last")
    reasons: tuple[str, ...] = Field(description="of the last chunk in trouble, most severe first")
    provisional: bool = Field(description="later rows or labels may change the verdict")
    rows: int = Field(description="predictions in the last chunk in trouble")
    labelled: int = Field(description="those of them whose label is in")
    columns: tuple[str, ...] = Field(description="whose drift, or data quality fault, lasts")
    segments: tuple[str, ...] = Field(description="with results out of bounds, the most first")
    incident_url: str | None = Field(description="null unless MONITOR_PUBLIC_URL is set")
    chunks_url: str | None = Field(description="charts of the incident's chunks")

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the chunks."""
        return ZoneInfo(self.time_zone)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message: alerts under an id that stays the same, however often the message is sent.

    `thread` is the id of the first message about the incident on this channel; `title` is that message's title.
    Several alerts are a digest, which has no thread. `pictures` are charts as PNG, for channels that take them.
    """

    id: str
    thread: str
    title: str
    alerts: tuple[Alert, ...]
    pictures: tuple[bytes, ...] = ()

    @property
    def is_first(self) -> bool:
        """Whether it begins its thread."""
        return self.id == self.thread


class DeliveryBody(BaseModel):
    """The body that a webhook receives: the delivery's id, its thread, and one alert, or several in a digest."""

    model_config = ConfigDict(frozen=True, title="Driftline alert")

    id: str = Field(description="the same whenever this delivery is sent again")
    thread: str = Field(description="the id of the first delivery about the incident on this channel")
    alerts: tuple[Alert, ...] = Field(min_length=1)

    @classmethod
    def of(cls, delivery: Delivery) -> "DeliveryBody":
        """Return the body of a delivery."""
        return cls(id=delivery.id, thread=delivery.thread, alerts=delivery.alerts)


def delivery_json_schema() -> str:
    """Return the JSON Schema of a webhook's body, as `docs/reference/alert.schema.json` has it."""
    return json.dumps(DeliveryBody.model_json_schema(), indent=2) + "\n"
