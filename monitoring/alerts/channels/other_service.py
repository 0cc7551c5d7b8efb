"""Every other service that apprise knows by a URL: `ntfy://…`, `tgram://…`, `json://…`."""

import logging
from typing import Literal

from monitoring.alerts.channels.channel import Channel
from monitoring.alerts.channels.outbound import DeliveryFailed, public_addresses_only
from monitoring.alerts.channels.secrets import SecretFolder, SecretName
from monitoring.alerts.messages.alert import Delivery
from monitoring.alerts.messages.wording import digest_title, text


class OtherServiceChannel(Channel):
    """A service of apprise; its URL is the secret."""

    type: Literal["apprise"]
    secret: SecretName

    def send(self, delivery: Delivery, secrets: SecretFolder) -> None:
        """Send title and text."""
        from apprise import Apprise, AppriseAsset  # noqa: PLC0415  (it takes 0.25 s, and most monitors need none)

        logging.getLogger("apprise").disabled = True  # it logs URLs that it cannot use
        url = secrets.read(self.secret)
        service = Apprise(asset=AppriseAsset(async_mode=False, app_id="Driftline", image_url_mask=None))
        if not service.add(url):
            raise DeliveryFailed(f"The secret {self.secret!r} is not a URL that apprise knows; correct the file.")
        with public_addresses_only(except_internal=self.allow_internal):
            sent = service.notify(title=digest_title(delivery), body=text(delivery))
        if not sent:
            raise DeliveryFailed("The service did not take the message; check its URL in the secret.")
