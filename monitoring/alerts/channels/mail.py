"""E-mail by SMTP with TLS; the messages about an incident are one conversation."""

import logging
import smtplib
import ssl
from collections.abc import Sequence
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from enum import StrEnum
from html import escape
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from driftline.clock import utc_now
from driftline.errors import InvalidInput
from driftline.tls import client_context
from monitoring.alerts.channels.channel import Channel
from monitoring.alerts.channels.outbound import SECONDS, DeliveryFailed, public_addresses_only
from monitoring.alerts.channels.secrets import SecretFolder, SecretName
from monitoring.alerts.messages.alert import Delivery
from monitoring.alerts.messages.wording import digest_title, text
from monitoring.report.files.report_file import ReportFile

log = logging.getLogger(__name__)

MailAddress = Annotated[str, Field(pattern=r"^[^@\s,<>]+@[^@\s,<>]+$", max_length=254)]


class MailSecurity(StrEnum):
    """How the connection to the mail server is secured; `none` is for a server on the same machine."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


PORTS = {MailSecurity.TLS: 465, MailSecurity.STARTTLS: 587, MailSecurity.NONE: 25}


class MailChannel(Channel):
    """People with e-mail addresses, and the server that takes their mail; its host may always be an internal one."""

    threads: ClassVar[bool] = True
    pictures: ClassVar[bool] = True
    type: Literal["email"]
    server: str = Field(min_length=1, max_length=253)
    port: int | None = Field(None, ge=1, le=65_535, description="by default that of the security: 465, 587 or 25")
    security: MailSecurity = MailSecurity.STARTTLS
    ca: Path | None = Field(None, description="PEM file of the CA of the server's certificate; by default the system's")
    user: str | None = None
    secret: SecretName | None = Field(None, description="the password of `user`")
    sender: MailAddress = Field(alias="from")
    recipients: tuple[MailAddress, ...] = Field(alias="to", min_length=1)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.user is None) is not (self.secret is None):
            raise ValueError("set both user and secret, or neither")
        if self.user is not None and self.security is MailSecurity.NONE:
            raise ValueError("a password needs security: tls or starttls")
        return self

    def send(self, delivery: Delivery, secrets: SecretFolder) -> None:
        """Send the message; the server answers for all recipients at once."""
        self._send(self.message(delivery), secrets)

    def send_files(self, subject: str, body: str, files: Sequence[ReportFile], secrets: SecretFolder) -> None:
        """Send files as attachments; raises `DeliveryFailed` as `send` does."""
        message = self._addressed(subject)
        message["Message-ID"] = make_msgid(domain=self.sender.partition("@")[2])
        message.set_content(body)
        for file in files:
            kind, _, subtype = file.media_type.partition(";")[0].partition("/")
            message.add_attachment(file.content, kind, subtype, filename=file.name)
        self._send(message, secrets)

    def _send(self, message: EmailMessage, secrets: SecretFolder) -> None:
        """Send a message, and translate every failure of the mail server to DeliveryFailed."""
        password = secrets.read(self.secret) if self.secret else None
        try:
            with public_addresses_only(except_internal=True), self._connected() as server:
                if self.user and password:
                    server.login(self.user, password)
                refused = server.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            raise DeliveryFailed(f"The mail server refused {', '.join(error.recipients)}; correct `to`.") from error
        except smtplib.SMTPResponseException as error:
            raise DeliveryFailed(f"The mail server answered {error.smtp_code}; check its log.") from error
        except ssl.SSLCertVerificationError as error:
            raise DeliveryFailed(
                f"The mail server's certificate is not trusted ({error.verify_message}); set `ca` to its CA."
            ) from error
        except (smtplib.SMTPException, OSError, InvalidInput) as error:
            raise DeliveryFailed(f"The mail server cannot be used: {error or type(error).__name__}.") from error
        if refused:
            log.warning("The mail server refused %s; the other recipients have the message.", ", ".join(refused))

    def message(self, delivery: Delivery) -> EmailMessage:
        """Return the e-mail: follow-ups answer the first message about their incident."""
        subject = digest_title(delivery) if delivery.is_first else f"Re: {digest_title(delivery)}"
        message, domain = self._addressed(subject), self.sender.partition("@")[2]
        message["Message-ID"] = f"<{delivery.id}@{domain}>"
        if not delivery.is_first:
            message["In-Reply-To"] = message["References"] = f"<{delivery.thread}@{domain}>"
        message.set_content(text(delivery))
        if delivery.pictures:
            _add_pictures(message, delivery)
        return message

    def _addressed(self, subject: str) -> EmailMessage:
        """Return an e-mail without content to all recipients."""
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self.sender, ", ".join(self.recipients), subject
        message["Date"] = format_datetime(utc_now())
        message["Auto-Submitted"] = "auto-generated"
        return message

    def _connected(self) -> smtplib.SMTP:
        port = self.port or PORTS[self.security]
        if self.security is MailSecurity.TLS:
            return smtplib.SMTP_SSL(self.server, port, timeout=SECONDS, context=self._context())
        server = smtplib.SMTP(self.server, port, timeout=SECONDS)
        if self.security is MailSecurity.STARTTLS:
            server.starttls(context=self._context())
        return server

    def _context(self) -> ssl.SSLContext:
        return client_context(self.ca) if self.ca else ssl.create_default_context()


def _add_pictures(message: EmailMessage, delivery: Delivery) -> None:
    """Add the text as HTML with the pictures below it, as inline attachments; programs without HTML show the text."""
    names = [f"chart-{place}" for place in range(1, len(delivery.pictures) + 1)]
    images = "".join(f'<p><img src="cid:{name}" alt="Metrics by chunk" style="max-width:100%"></p>' for name in names)
    lines = escape(text(delivery))
    message.add_alternative(f"<html><body><pre>{lines}</pre>{images}</body></html>", subtype="html")
    html = message.get_payload(1)
    assert isinstance(html, EmailMessage)  # noqa: S101  (the second alternative, just added)
    for name, picture in zip(names, delivery.pictures, strict=True):
        html.add_related(picture, "image", "png", cid=f"<{name}>", filename=f"{name}.png", disposition="inline")
