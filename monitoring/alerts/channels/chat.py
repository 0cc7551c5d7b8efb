"""Chats with incoming webhooks: Slack, Mattermost and Microsoft Teams. Their webhooks have no threads."""

import json
from collections.abc import Callable
from typing import Any, Literal

from monitoring.alerts.channels.channel import SecretUrlChannel
from monitoring.alerts.messages.alert import Delivery
from monitoring.alerts.messages.wording import digest_title, facts, footer, headline


class SlackChannel(SecretUrlChannel):
    """An incoming webhook of Slack."""

    type: Literal["slack"]

    def body(self, delivery: Delivery) -> bytes:
        """Return the message in Slack's own markup."""
        return json.dumps({"text": _marked_up(delivery, "*", _escaped_for_slack)}).encode()


class MattermostChannel(SecretUrlChannel):
    """An incoming webhook of Mattermost, or of a chat that takes the same requests."""

    type: Literal["mattermost"]

    def body(self, delivery: Delivery) -> bytes:
        """Return the message in Markdown."""
        return json.dumps({"text": _marked_up(delivery, "**", _without_mentions)}).encode()


class TeamsChannel(SecretUrlChannel):
    """A workflow of Microsoft Teams that posts what a webhook receives."""

    type: Literal["teams"]

    def body(self, delivery: Delivery) -> bytes:
        """Return the message as an adaptive card."""
        blocks: list[dict[str, Any]] = [_block(digest_title(delivery), weight="Bolder", size="Medium")]
        for alert in delivery.alerts:
            blocks.append(_block(headline(alert), weight="Bolder"))
            pairs = [{"title": name, "value": fact} for name, fact in facts(alert)]
            blocks.append({"type": "FactSet", "facts": pairs})
        card = {
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "type": "AdaptiveCard",
            "version": "1.4",
            "body": [*blocks, _block(footer(delivery), isSubtle=True)],
        }
        attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
        return json.dumps({"type": "message", "attachments": [attachment]}).encode()


def _block(text: str, **style: object) -> dict[str, Any]:
    return {"type": "TextBlock", "text": text, "wrap": True} | style


def _marked_up(delivery: Delivery, bold: str, escaped: Callable[[str], str]) -> str:
    """Return a message with its names in bold."""
    lines = [f"{bold}{escaped(digest_title(delivery))}{bold}"]
    for alert in delivery.alerts:
        lines.append(f"{bold}{escaped(headline(alert))}{bold}")
        lines += [f"{bold}{name}:{bold} {escaped(fact)}" if name else escaped(fact) for name, fact in facts(alert)]
    return "\n".join([*lines, escaped(footer(delivery))])


def _escaped_for_slack(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _without_mentions(text: str) -> str:
    """Return a text in which the name of a column calls nobody."""
    return text.replace("@", "@\u200b")
