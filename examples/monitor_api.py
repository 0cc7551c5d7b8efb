"""What the examples ask of the monitor, over HTTP."""

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from http.client import HTTPException
from pathlib import Path
from typing import Any, TypeVar
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from driftline import DriftlineError
from examples.processes import BackgroundProcess

REQUEST_SECONDS = 120.0
ERASED_AT_ONCE = 10_000
"""Ids of a deletion; the monitor takes ten times as many."""
MONITOR_LOG = "the log of the monitor"
Value = TypeVar("Value")


class RequestRefused(DriftlineError):
    """A service refuses a request; its answer says why."""


class NoAnswer(DriftlineError, ConnectionError):
    """A server does not answer; start it, or look at its log."""


class ProcessEnded(DriftlineError):
    """A process has ended that was to run; its log says why."""


class NotStored(DriftlineError):
    """The monitor has not stored what it was sent; look at its log, then run the same command again."""


class NotInTime(DriftlineError):
    """What was waited for has not happened in time; run the same command again."""


def call(address: str, path: str, *, method: str = "GET", body: object = None, **query: str) -> Any:
    """Return what a service of Driftline answers to a request with the token; raise as `request_json` does."""
    return request_json(address, path, method=method, body=body, headers=token_header(), query=query)


def request_json(
    address: str,
    path: str,
    *,
    method: str = "GET",
    body: object = None,
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
    log: Path | None = None,
) -> Any:
    """Return the JSON that a server answers, None for nothing; raise as `request` does."""
    content = request(address, path, method=method, body=body, headers=headers, query=query, log=log)
    try:
        return json.loads(content) if content else None
    except ValueError as error:
        raise RequestRefused(f"{method} {address}{path} is answered with something else than JSON.") from error


def request(
    address: str,
    path: str,
    *,
    method: str = "GET",
    body: object = None,
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
    log: Path | None = None,
) -> bytes:
    """Return what a server answers.

    Raises:
        RequestRefused: the answer is an error.
        NoAnswer: there is none; the message names the server's log.
    """
    url = f"{address}{path}" + (f"?{urlencode(query)}" if query else "")
    data = None if body is None else json.dumps(body).encode()
    message = Request(url, data, {"Content-Type": "application/json", **(headers or {})}, method=method)  # noqa: S310  # http, as given
    try:
        with urlopen(message, timeout=REQUEST_SECONDS) as answer:  # noqa: S310
            content: bytes = answer.read()
    except HTTPError as error:
        raise RequestRefused(f"{method} {url} is answered with {error.code}: {error.read().decode()}") from error
    except (OSError, HTTPException) as error:
        reason = error.reason if isinstance(error, URLError) else error
        raise NoAnswer(f"{method} {url} is not answered ({reason}){_look_at(log)}.") from error
    return content


def token_header() -> dict[str, str]:
    """Return the header with the token of DRIFTLINE_TOKEN, none where the services are open."""
    token = os.environ.get("DRIFTLINE_TOKEN")
    return {"Authorization": f"Bearer {token}"} if token else {}


def wait_for(
    look: Callable[[], Value | None],
    subject: str,
    seconds: float,
    *,
    every: float = 0.2,
    log: Path | str | None = None,
    process: BackgroundProcess | None = None,
) -> Value:
    """Look every so many seconds until there is something, and return it.

    Raises:
        NotInTime: there was nothing for some seconds; the message names the log that says why.
        ProcessEnded: a process that it depends on does not run, whose log is named.
    """
    deadline = time.monotonic() + seconds
    while (value := look()) is None:
        if process and not process.runs:
            raise ProcessEnded(f"{subject}: the process ended; the end of {process.log}:\n{process.end_of_log}")
        if time.monotonic() > deadline:
            raise NotInTime(
                f"{subject} did not appear within {seconds:.0f} s{_look_at(process.log if process else log)}."
            )
        time.sleep(every)
    return value


def _look_at(log: Path | str | None) -> str:
    return "" if log is None else f"; look at {log}"


def poll(address: str) -> None:
    """Have the monitor compute what is pending, and wait until it has."""

    def finished() -> Any:
        answer = call(address, "/run-monitoring", method="POST")
        return answer if "seconds" in answer else None  # else a run that goes on, which the next request joins

    wait_for(finished, "The end of the poll", 600, log=MONITOR_LOG)


def erase_rows(address: str, model: str, ids: Sequence[str]) -> int:
    """Have the monitor erase the predictions and labels with some ids, and return how many it had; again, it has none.

    Objects of its archive are written again without them by its next run of the archive.
    """
    path = f"/api/v1/models/{model}/deletions"
    parts = (ids[first : first + ERASED_AT_ONCE] for first in range(0, len(ids), ERASED_AT_ONCE))
    return sum(int(call(address, path, method="POST", body={"ids": part})["deleted"]) for part in parts)


def alert_delivered(address: str, channel: str, model: str, seconds: float) -> Any:
    """Return the delivery of the alert that opened an incident of a model; wait for it, unless an earlier run did."""

    def delivered() -> Any:
        deliveries = call(address, "/api/v1/deliveries", channel=channel, state="delivered")["deliveries"]
        return next((entry for entry in deliveries if (entry["model"], entry["kind"]) == (model, "opened")), None)

    return wait_for(delivered, "The delivery of the alert", seconds, log=MONITOR_LOG)
