"""What every channel has: the name of its secret, and how it sends."""

from abc import ABC, abstractmethod
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from monitoring.alerts.channels.outbound import post
from monitoring.alerts.channels.secrets import SecretFolder, SecretName
from monitoring.alerts.messages.alert import Delivery


class Channel(BaseModel, ABC):
    """A channel as the configuration file describes it; secrets are names of files."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    threads: ClassVar[bool] = False
    """Whether follow-ups join the first message about their incident."""
    pictures: ClassVar[bool] = False
    """Whether a message takes charts as pictures."""
    digests: ClassVar[bool] = True
    """Whether several alerts may come in one message."""
    type: str
    allow_internal: bool = Field(False, description="whether its host may have an internal address")

    @abstractmethod
    def send(self, delivery: Delivery, secrets: SecretFolder) -> None:
        """Send a delivery; raises `DeliveryFailed` where the channel did not take it."""


class SecretUrlChannel(Channel):
    """A channel whose whole URL is its secret, as those of incoming webhooks are."""

    secret: SecretName

    def send(self, delivery: Delivery, secrets: SecretFolder) -> None:
        """Post the message as JSON."""
        url = secrets.read(self.secret)
        post(url, self.body(delivery), {"Content-Type": "application/json"}, allow_internal=self.allow_internal)

    @abstractmethod
    def body(self, delivery: Delivery) -> bytes:
        """Return the body of the request."""
