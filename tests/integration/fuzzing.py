"""Asks a service what its `/openapi.json` allows and forbids, and says where an answer is not as described there."""

import os
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import schemathesis
from apiflask import APIFlask
from hypothesis import strategies as st
from schemathesis import engine
from schemathesis.core.failures import Failure
from schemathesis.engine import events

from driftline.clock import utc_now
from driftline.http.access import PROBES
from driftline.http.authorization import tokens
from driftline.http.authorization.scopes import Scope
from driftline.settings import AccessSettings

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "20"))
"""For each route, beside those on the bounds of what is allowed; `make fuzz` asks more."""

_ENDS = ("0001-01-01", "0001-01-02", "9999-12-30", "9999-12-31")
"""Days at the calendar's ends, at which arithmetic with instants overflows."""

PROBING = {f"{method} {path}" for method in ("GET", "HEAD", "OPTIONS") for path in PROBES}
"""What needs no token."""


def _draw_ends_of_time() -> None:
    """Let dates and instants be drawn from the calendar's ends as often as from its middle."""
    days = st.sampled_from(_ENDS)
    times = st.sampled_from(("T00:00:00Z", "T23:59:59.999999Z", "T00:00:00+14:00", "T23:59:59-12:00"))
    schemathesis.openapi.format("date", days | st.dates().map(date.isoformat))
    instants = st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat)
    schemathesis.openapi.format("date-time", st.builds(str.__add__, days, times) | instants)


def closed(folder: Path) -> tuple[AccessSettings, str]:
    """Return the settings of a service that asks for tokens and counts nothing, and a token for all."""
    file = folder / "tokens.json"
    token = tokens.create(file, "fuzzing", frozenset(Scope), utc_now())
    return AccessSettings(tokens=file, rate_limit="off"), token


def faults(app: APIFlask, token: str, *, refusing: tuple[str, ...], away: bool = False) -> list[str]:
    """Send what fits and what does not; give what went wrong, and the routes that nothing was asked of.

    A server error is wrong, but 503 is not if a server is `away`, which leaves little to find: fewer are sent then. Of
    the paths in `refusing` a request that fits the description may be refused: it knows no rule between fields.
    """
    _draw_ends_of_time()
    header = {"Authorization": f"Bearer {token}"}
    config = schemathesis.Config.from_dict(
        {
            "headers": header,
            "generation": {
                "max-examples": EXAMPLES if not away else max(1, EXAMPLES // 4),
                "deterministic": bool(os.environ.get("CI")),
                "no-shrink": True,
            },
            "checks": {
                "not_a_server_error": {"expected-statuses": ["2xx", "4xx", *(["503"] if away else [])]},
                "ignored_auth": {"enabled": False},  # it cannot ask an app in its own process
            },
            "phases": {"stateful": {"enabled": False}},
            "operations": [
                {"include-path": path, "checks": {"positive_data_acceptance": {"enabled": False}}} for path in refusing
            ],
        }
    )
    schema: Any = schemathesis.openapi.from_wsgi("/openapi.json", app, config=config, headers=header)
    happened = list(engine.from_schema(schema).execute())
    finished = [event for event in happened if isinstance(event, events.ScenarioFinished)]
    print(f"{sum(len(event.recorder.cases) for event in finished):,} requests")  # noqa: T201  (`make fuzz` shows it)
    labels = {event.label for event in finished if event.recorder.checks}
    unasked = [f"{operation} was not asked" for operation in sorted(_operations(app, header) - labels)]
    return [*unasked, *(fault for event in happened for fault in _faults(event))]


def _operations(app: APIFlask, header: dict[str, str]) -> set[str]:
    document: Any = app.test_client().get("/openapi.json", headers=header).json
    return {f"{method.upper()} {path}" for path, operations in document["paths"].items() for method in operations}


def open_doors(app: APIFlask) -> list[str]:
    """Return the routes, pages and files that answer anything but 401 to whoever shows no token."""
    client = app.test_client()
    requests = [
        (method, re.sub(r"<[^>]*>", "x", rule.rule))
        for rule in app.url_map.iter_rules()
        for method in rule.methods or ()
    ]
    return [f"{method} {path}" for method, path in requests if client.open(path, method=method).status_code != 401]


def _faults(event: object) -> Iterator[str]:
    if isinstance(event, events.FatalError):
        raise event.exception
    if isinstance(event, events.NonFatalError):
        yield f"{event.label}: {event.value!r}"
    if isinstance(event, events.ScenarioFinished):
        for check in (check for checks in event.recorder.checks.values() for check in checks):
            if check.failure_info:
                failure: Failure = check.failure_info.failure
                yield f"{check.name}: {failure.title}. {failure.message}\n{check.failure_info.code_sample}"
