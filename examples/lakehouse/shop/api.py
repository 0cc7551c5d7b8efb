"""The simulated shop's API over HTTP, which stands in for a public one: pages of changes since a position."""

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import takewhile
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from examples.lakehouse.shop.simulation import ShopChange, ShopPlan, changes
from examples.processes import LOOPBACK

CHANGES, MOST = "/orders/changes", 1_000
"""The path of the changes, and the most of them that a page has."""
PAGE = """\
<!doctype html>
<html lang="en">
<title>A simulated shop</title>
<h1>A simulated shop</h1>
<p>This server stands in for the public API of an online shop. Its orders and customers are simulated.</p>
<p><code>GET /orders/changes?after=0&amp;limit=500&amp;until=2024-02-01T00:00:00Z</code> returns what happened after a
position, in order, up to an instant.</p>
<p>Version 1: <code>distance</code> is in kilometres. Version 2: <code>distance</code> is in metres, and orders have
<code>promised_hours</code>. Each answer says which version it is.</p>
</html>
"""


class InvalidQuery(Exception):
    """A parameter of a request is invalid; the message names it."""


class ChangeFeed:
    """All changes of a plan, of which a page is asked for."""

    def __init__(self, plan: ShopPlan) -> None:
        self._changes = changes(plan)

    def page(self, parameters: dict[str, str]) -> dict[str, Any]:
        """Return the changes after a position, of one version; `next` is the position of the last.

        Raises:
            InvalidQuery: a parameter is missing or invalid.
        """
        try:
            after, limit = int(parameters.get("after", 0)), int(parameters.get("limit", MOST))
            until = datetime.fromisoformat(parameters["until"])
        except (KeyError, ValueError) as error:
            raise InvalidQuery(f"after and limit are numbers, until is an instant of ISO 8601: {error}.") from error
        if after < 0 or not 1 <= limit <= MOST or until.tzinfo is None:
            raise InvalidQuery(f"after is at least 0, limit is 1 to {MOST}, and until has an offset.")
        following = self._changes[after : after + limit]
        version = following[0].version if following else None
        page = [*takewhile(lambda change: change.at < until and change.version == version, following)]
        return {"version": version, "changes": [_entry(change) for change in page], "next": after + len(page)}


def _entry(change: ShopChange) -> dict[str, Any]:
    return {"kind": change.kind, "at": change.at.isoformat(), **change.fields}


def serve(feed: ChangeFeed, port: int) -> None:
    """Answer requests on loopback until the process ends."""

    class ApiHandler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = urlsplit(self.path)
            if address.path == "/":
                self._answer(HTTPStatus.OK, "text/html; charset=utf-8", PAGE)
            elif address.path == CHANGES:
                self._answer_json(dict(parse_qsl(address.query)))
            else:
                self._answer(HTTPStatus.NOT_FOUND, "application/json", json.dumps({"error": f"no {address.path}"}))

        def _answer_json(self, parameters: dict[str, str]) -> None:
            try:
                self._answer(HTTPStatus.OK, "application/json", json.dumps(feed.page(parameters)))
            except InvalidQuery as error:
                self._answer(HTTPStatus.BAD_REQUEST, "application/json", json.dumps({"error": str(error)}))

        def _answer(self, status: HTTPStatus, content_type: str, content: str) -> None:
            body = content.encode()
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Write nothing."""

    ThreadingHTTPServer((LOOPBACK, port), ApiHandler).serve_forever()


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve the orders of a plan, as JSON of its fields."""
    parser = argparse.ArgumentParser(prog="python -m examples.lakehouse.shop.api", description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("plan", type=json.loads, help='such as {"seed": 1}')
    options = parser.parse_args(arguments)
    serve(ChangeFeed(ShopPlan(**options.plan)), options.port)
    return 0


if __name__ == "__main__":
    sys.exit(main())
