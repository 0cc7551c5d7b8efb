"""The requests and responses about channels and deliveries, as types that /openapi.json shows; none has a secret."""

from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from monitoring.alerts.delivery_store import DeliveryState, StoredDelivery
from monitoring.alerts.messages.alert import AlertKind
from monitoring.alerts.messages.wording import headline
from monitoring.alerts.service import ChannelStatus, ChannelTest

MOST_DELIVERIES = 1_000
_CHANNEL: dict[str, Any] = {"name": "ops", "type": "slack", "pending": 0, "delivered": 12, "dead": 1}
_DELIVERY: dict[str, Any] = {
    "number": 31,
    "id": "5f0c2f6f3c0b4f0f9a4a1d5e6f7a8b9c",
    "channel": "ops",
    "state": DeliveryState.DEAD,
    "kind": AlertKind.OPENED,
    "incident": 7,
    "model": "churn",
    "version": 1,
    "headline": "churn, incident 7: New incident, Alert",
    "created_at": "2026-05-13T00:00:21Z",
    "due_at": "2026-05-14T00:12:21Z",
    "attempts": 30,
    "problem": "The channel's server answered with the status 404.",
    "finished_at": "2026-05-14T00:12:22Z",
    "digest": None,
}


class ChannelOut(BaseModel):
    """A channel, and how many deliveries are in each state."""

    model_config = ConfigDict(json_schema_extra={"example": _CHANNEL})

    name: str
    type: str | None = Field(description="null: the configuration has no such channel any more")
    pending: int
    delivered: int
    dead: int = Field(description="dead letters: no further attempt is made")

    @classmethod
    def of(cls, status: ChannelStatus) -> Self:
        """Return the JSON object of a channel."""
        return cls(name=status.name, type=status.type, **{str(s): n for s, n in status.deliveries.items()})


class ChannelsOut(BaseModel):
    """The channels in the order of the configuration."""

    model_config = ConfigDict(json_schema_extra={"example": {"channels": [_CHANNEL]}})

    channels: tuple[ChannelOut, ...]


class ChannelTestOut(BaseModel):
    """The outcome of a test message."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"channel": "ops", "delivery": 32, "state": "delivered", "problem": None}}
    )

    channel: str
    delivery: int = Field(description="its number")
    state: DeliveryState
    problem: str | None = Field(description="why the channel did not take it")

    @classmethod
    def of(cls, outcome: ChannelTest) -> Self:
        """Return the JSON object of an outcome."""
        return cls(channel=outcome.channel, delivery=outcome.number, state=outcome.state, problem=outcome.problem)


class DeliveriesQuery(BaseModel):
    """Which deliveries: the newest, or those before the number of one."""

    model_config = ConfigDict(extra="forbid")

    channel: str | None = None
    state: DeliveryState | None = None
    incident: int | None = Field(None, ge=1, le=2**63 - 1)
    most: int = Field(100, ge=1, le=MOST_DELIVERIES)
    before: int | None = Field(None, ge=1, le=2**63 - 1, description="the last number of the page before")


class DeliveryOut(BaseModel):
    """A message to a channel about an incident, or a test."""

    model_config = ConfigDict(json_schema_extra={"example": _DELIVERY})

    number: int
    id: str = Field(description="the same in each attempt; the receiver sees it")
    channel: str
    state: DeliveryState
    kind: AlertKind
    incident: int | None
    model: str | None
    version: int | None
    headline: str
    created_at: datetime
    due_at: datetime = Field(description="when the next attempt is due")
    attempts: int
    problem: str | None = Field(description="why the last attempt failed")
    finished_at: datetime | None
    digest: str | None = Field(description="the id of the message that it was sent in with others")

    @classmethod
    def of(cls, delivery: StoredDelivery) -> Self:
        """Return the JSON object of a delivery."""
        alert = delivery.alert
        is_test = alert.kind is AlertKind.TEST
        return cls(
            number=delivery.number,
            id=delivery.id,
            channel=delivery.channel,
            state=delivery.state,
            kind=alert.kind,
            incident=alert.incident,
            model=None if is_test else alert.model,
            version=None if is_test else alert.version,
            headline=headline(alert),
            created_at=delivery.created_at,
            due_at=delivery.due_at,
            attempts=delivery.attempts,
            problem=delivery.problem,
            finished_at=delivery.finished_at,
            digest=delivery.digest,
        )


class DeliveriesOut(BaseModel):
    """Deliveries, the newest number first."""

    model_config = ConfigDict(json_schema_extra={"example": {"deliveries": [_DELIVERY]}})

    deliveries: tuple[DeliveryOut, ...]


class RetriedOut(BaseModel):
    """A dead letter that is sent again."""

    model_config = ConfigDict(json_schema_extra={"example": {"number": 31, "state": "pending"}})

    number: int
    state: DeliveryState
