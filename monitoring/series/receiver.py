"""A time series database that takes lines over HTTP: InfluxDB 1 to 3, VictoriaMetrics, Telegraf and others."""

import gzip
from collections.abc import Sequence
from http import HTTPStatus
from typing import Protocol
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import urllib3
from pydantic import SecretStr

from driftline.errors import DriftlineError, Unavailable
from monitoring.series.line_protocol import PRECISION

SECONDS = 10.0
"""How long the database may take to connect, and to answer."""
UNACCEPTABLE = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)
"""The answers to lines that would not be taken the next time either."""
LONGEST_ANSWER = 300


class SeriesUnavailable(Unavailable):
    """The time series database does not answer; check MONITOR_SERIES_URL and MONITOR_SERIES_TOKEN."""


class SeriesRefused(DriftlineError):
    """The time series database refuses the points."""


class LineReceiver(Protocol):
    """Takes lines."""

    def write(self, lines: Sequence[str]) -> None:
        """Write lines.

        Raises:
            SeriesUnavailable: they may be sent again. SeriesRefused: they are not valid there.
        """


class HttpLineReceiver:
    """A database over HTTP; safe to use from one thread."""

    def __init__(self, url: str, token: SecretStr | None) -> None:
        """Connect to nothing; times are sent in seconds, which the address says from now on."""
        parts = urlsplit(url)
        query = urlencode([*parse_qsl(parts.query), ("precision", PRECISION)])
        self._url = urlunsplit(parts._replace(query=query))
        self._headers = {"Content-Type": "text/plain; charset=utf-8", "Content-Encoding": "gzip"}
        if token is not None:
            self._headers["Authorization"] = f"Token {token.get_secret_value()}"
        self._pool = urllib3.PoolManager(timeout=SECONDS, retries=False)

    def write(self, lines: Sequence[str]) -> None:
        """Write lines; see `LineReceiver`."""
        body = gzip.compress("\n".join(lines).encode(), compresslevel=3)
        try:
            answer = self._pool.request("POST", self._url, body=body, headers=self._headers)
        except urllib3.exceptions.HTTPError as error:
            raise SeriesUnavailable from error
        if answer.status < HTTPStatus.MULTIPLE_CHOICES:
            return
        message = f"The time series database answers with status {answer.status}"
        if answer.status in UNACCEPTABLE:
            text = answer.data[:LONGEST_ANSWER].decode(errors="replace").strip()
            raise SeriesRefused(f"{message}: {text}")
        raise SeriesUnavailable(f"{message}; check MONITOR_SERIES_URL and MONITOR_SERIES_TOKEN.")
