"""Headers and body of a response leave in one packet, in order, and nothing is lost where a connection is closed."""

import asyncio
from typing import Any, cast

from serving.web.connection import JoinedWrites


class Recorded:
    """Records what a transport is asked for."""

    def __init__(self) -> None:
        self.calls: list[Any] = []
        self.is_closed = False

    def write(self, data: bytes) -> None:
        self.calls.append(data)

    def close(self) -> None:
        self.is_closed = True
        self.calls.append("closed")

    def is_closing(self) -> bool:
        return self.is_closed

    def get_extra_info(self, name: str) -> str:
        return name


def written(*turns: tuple[bytes, ...], closed: bool = False) -> list[Any]:
    """Return what reaches the transport of writes in some turns of the event loop."""
    recorded = Recorded()

    async def write() -> None:
        """Write the turns of a test to a transport, and close it if asked."""
        transport = JoinedWrites(cast("asyncio.Transport", recorded), asyncio.get_running_loop())
        assert transport.get_extra_info("peername") == "peername"
        for turn in turns:
            for data in turn:
                transport.write(data)
            if not closed:
                await asyncio.sleep(0)
        if closed:
            transport.close()
            transport.write(b"too late")
            await asyncio.sleep(0)

    asyncio.run(write())
    return recorded.calls


def test_writes_of_one_turn_are_one_packet() -> None:
    assert written((b"headers", b"body"), (b"next",)) == [b"headersbody", b"next"]


def test_closing_sends_first_what_was_written() -> None:
    assert written((b"headers", b"body"), closed=True) == [b"headersbody", "closed"]
