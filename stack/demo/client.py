"""The demo's HTTP client of the simulator and the monitor."""

import json
import time
from dataclasses import dataclass, field
from typing import Any

import requests

from stack.console import Advance, print_line, print_table
from stack.demo.findings import Day, summary_of, table_of
from stack.demo.plan import Plan
from stack.errors import StackError
from stack.services.site import Site

LABEL_DELAY_DAYS = 3
POLL_SECONDS = 0.5
STREAM_SECONDS = 900
MODEL = "churn"


@dataclass(frozen=True)
class DemoClient:
    """The addresses of simulator and monitor (`http://host:port`), and the token for both, if they require one."""

    simulator: str
    monitor: str
    token: str | None = field(default=None, repr=False)

    @classmethod
    def for_site(cls, site: Site) -> "DemoClient":
        """Return a client of the local services; raises `StackError` if they use HTTPS, whose CA is unknown."""
        if site.certificate:
            raise StackError("The demo uses plain HTTP; unset DRIFTLINE_TLS_CERT and DRIFTLINE_TLS_KEY.")
        return cls(*(f"http://127.0.0.1:{site.ports[name]}" for name in ("simulator", "monitor")))

    def stream(self, plan: Plan, advance: Advance, days: tuple[int, int] | None = None, interval: float = 0) -> None:
        """Stream the planned days, or those of these numbers, with a pause of some seconds, until the simulator ends.

        Raises:
            StackError: the stream was stopped, failed, or took too long.
        """
        body = plan.stream_request(*(days or ())) | {"interval": interval}
        answer = self._call("POST", f"{self.simulator}/start_stream", body)
        print_line(f"    {answer['message']}")
        deadline = time.monotonic() + STREAM_SECONDS
        while time.monotonic() < deadline:
            stream = self._call("GET", f"{self.simulator}/stream?run_id={answer['run_id']}")
            advance(stream["batches_done"], stream["num_batches"])
            if stream["state"] == "finished":
                print_line(f"    {stream['records']:,} records")
                return
            if stream["state"] in ("failed", "stopped"):
                raise StackError(_ended_early(stream))
            time.sleep(POLL_SECONDS)
        raise StackError(f"The stream did not finish within {STREAM_SECONDS} s; `curl` GET /stream shows why.")

    def compute(self) -> None:
        """Compute everything that is pending, and wait for it.

        Raises:
            StackError: the run of the monitor failed.
        """
        answer = self._call("POST", f"{self.monitor}/run-monitoring")
        while answer.get("state") == "running":  # it takes longer than one request waits
            time.sleep(POLL_SECONDS)
            answer = self._call("GET", f"{self.monitor}/api/v1/runs/{answer['run']}")
        if answer.get("problem"):
            raise StackError(f"The monitor's run failed: {answer['problem']} See `make logs`.")
        print_line(f"    {json.dumps(answer.get('result', answer))[:200]}")

    def roles(self) -> dict[str, Any]:
        """Return which version is champion, and every change of that."""
        answer: dict[str, Any] = self._call("GET", f"{self.monitor}/api/v1/models/{MODEL}/roles")
        return answer

    def findings(self, plan: Plan, version: int | None = None) -> list[Day]:
        """Return the chunks of the streamed days, by default of the version that is used."""
        return [Day.of(chunk) for chunk in self._chunks(plan, version)]

    def _chunks(self, plan: Plan, version: int | None = None) -> list[dict[str, Any]]:
        span = f"from={plan.stream_first}T00:00:00Z&to={plan.stream_last}T23:59:59Z"
        span += f"&version={version}" if version else ""
        address = f"{self.monitor}/api/v1/models/{MODEL}/chunks?{span}"
        chunks: list[dict[str, Any]] = self._call("GET", address)["chunks"]
        return chunks

    def newest_day(self, plan: Plan) -> tuple[str, int] | None:
        """Return the newest streamed day that the monitor has, and its rows; None before the first."""
        chunks = self._chunks(plan)
        return (chunks[-1]["start"][:10], chunks[-1]["rows"]) if chunks else None

    def show_findings(self, plan: Plan) -> None:
        """Print the table of days, the injected drifts, and what the monitor is missing."""
        days = self.findings(plan)
        print_table(table_of(days, plan))
        for line in (*summary_of(days, plan, LABEL_DELAY_DAYS), *self._missing()):
            print_line(line)

    def _missing(self) -> list[str]:
        """Return the monitor's messages about missing things and their cures."""
        missing = self._call("GET", f"{self.monitor}/api/v1/models/{MODEL}/chunks")["missing"]
        return [f"Missing:         {entry['missing']} {entry['to_do']}" for entry in missing]

    def _call(self, method: str, url: str, body: dict[str, Any] | None = None) -> Any:
        """Send a request and return the decoded answer; an error contains the answer's text."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        answer = requests.request(method, url, json=body, headers=headers, timeout=300)
        if not answer.ok:
            raise StackError(f"{method} {url} answered {answer.status_code}: {answer.text}")
        return answer.json()


def _ended_early(stream: dict[str, Any]) -> str:
    """Return the message about a stream that was stopped or failed."""
    if stream["state"] == "stopped":
        return (
            f"The stream was stopped after {stream['batches_done']} of {stream['num_batches']} batches; "
            "`make demo` again continues it."
        )
    return f"The stream failed: {stream['last_error']}. See `make logs`."
