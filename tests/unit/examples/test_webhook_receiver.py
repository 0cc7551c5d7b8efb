"""The examples' receiver of alerts: it takes what is signed with the key, once, and nothing else."""

import hashlib
import hmac
import json
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from examples.webhook_receiver import receiving

KEY = b"key"


def signed(body: bytes, key: bytes = KEY) -> dict[str, str]:
    signature = hmac.new(key, b"1700000000." + body, hashlib.sha256).hexdigest()
    return {"Driftline-Timestamp": "1700000000", "Driftline-Signature": f"v1={signature}"}


def send(address: str, body: bytes, headers: dict[str, str]) -> int:
    with urlopen(Request(address, body, headers), timeout=30) as answer:  # noqa: S310  # loopback
        return int(answer.status)


def test_genuine_messages_are_kept_once() -> None:
    body = json.dumps({"id": "a", "alerts": []}).encode()
    with receiving() as (receiver, address):
        receiver.key = KEY
        assert [send(address, body, signed(body)) for _ in range(2)] == [204, 204]
        with pytest.raises(HTTPError, match="401"):
            send(address, body, signed(body, b"another"))
    assert receiver.messages == [{"id": "a", "alerts": []}]
