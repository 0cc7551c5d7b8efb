"""The signed webhook: JSON whose receiver can verify who sent it, and when."""

import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime
from typing import ClassVar, Literal

from pydantic import Field

from driftline.clock import utc_now
from monitoring.alerts.channels.channel import Channel
from monitoring.alerts.channels.on_call import HttpUrl
from monitoring.alerts.channels.outbound import post
from monitoring.alerts.channels.secrets import SecretFolder, SecretName
from monitoring.alerts.messages.alert import Delivery, DeliveryBody

DELIVERY, TIMESTAMP, SIGNATURE = "Driftline-Delivery", "Driftline-Timestamp", "Driftline-Signature"


class WebhookChannel(Channel):
    """A program of yours; the secret has the key that signs, and while it is replaced, the old one on a second line."""

    type: Literal["webhook"]
    url: str = Field(pattern=HttpUrl)
    secret: SecretName = Field(description="the key of the signature")
    threads: ClassVar[bool] = True

    def send(self, delivery: Delivery, secrets: SecretFolder, clock: Callable[[], datetime] = utc_now) -> None:
        """Post the delivery with its time and its signatures."""
        body = DeliveryBody.of(delivery).model_dump_json().encode()
        timestamp = str(int(clock().timestamp()))
        keys = [line.get_secret_value() for line in secrets.lines(self.secret)]
        headers = {
            "Content-Type": "application/json",
            DELIVERY: delivery.id,
            TIMESTAMP: timestamp,
            SIGNATURE: ", ".join(f"v1={signature(key, timestamp, body)}" for key in keys),
        }
        post(self.url, body, headers, allow_internal=self.allow_internal)


def signature(key: str, timestamp: str, body: bytes) -> str:
    """Return the HMAC-SHA256 over the timestamp, a dot and the body, in hexadecimal digits."""
    return hmac.new(key.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
