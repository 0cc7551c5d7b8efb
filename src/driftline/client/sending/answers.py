"""What an answer of the monitor means for a batch. No I/O here."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum

LONGEST_WAIT = 3600.0
"""Seconds that a Retry-After is followed at most."""
REFUSED = frozenset({400, 409, 413, 415, 422})
"""Statuses that no repetition of the same request changes."""
TOO_LARGE = 413
INTERNAL_ERROR = 500
_ROW = re.compile(r"\b(?:row|line) (\d{1,3}(?:,\d{3})*)\b")


class BatchOutcome(StrEnum):
    """What happens to a batch."""

    STORED = "stored"
    REFUSED = "refused"
    RETRY = "retry"


@dataclass(frozen=True)
class Answer:
    """How an attempt to send a batch ended."""

    state: BatchOutcome
    message: str = ""
    """Why the batch was not stored."""
    details: tuple[str, ...] = ()
    """Faults of single rows."""
    status: int | None = None
    rows: int = 0
    """Rows that the monitor has stored, known ones included."""
    wait: float | None = None
    """Seconds that the monitor asks to wait."""
    named_rows: tuple[int, ...] = ()
    """Numbers, from 1, of rows in the texts of faults: of each fault the first."""
    faulty_rows: Mapping[int, str] = field(default_factory=dict)
    """Numbers, from 1, of rows that are invalid whichever rows are beside them, with the reason."""
    more_rows: bool = False
    """Whether further rows are invalid."""
    may_be_content: bool = False
    """Whether the content of the batch may be why it was not answered, so that other batches are sent before it."""
    divisible: bool = False
    """Whether a part of the batch may be stored although the whole was refused."""


def read_answer(status: int, headers: Mapping[str, str], body: bytes, now: datetime) -> Answer:
    """Return the meaning of a response.

    A batch counts as stored or refused only if the body is that of a monitor: a proxy in between answers with other
    bodies, and then the batch is sent again.
    """
    content = _json_object(body)
    if status == 200 and type(rows := content.get("rows")) is int:
        return Answer(BatchOutcome.STORED, rows=rows, status=status)
    error = content.get("error")
    if status in REFUSED and (isinstance(error, dict) or status == TOO_LARGE):
        error = error if isinstance(error, dict) else {}
        message = str(error.get("message") or "The request is too large; a proxy may limit it.")
        details = error.get("details")
        faults = tuple(map(str, details)) if isinstance(details, list) else ()
        return Answer(
            BatchOutcome.REFUSED,
            message,
            faults,
            status,
            named_rows=_named_rows(faults),
            faulty_rows=_faulty_rows(error.get("rows")),
            more_rows=error.get("more_rows") is not False,
            divisible=_is_divisible(status, error),
        )
    message = str(error.get("message")) if isinstance(error, dict) else "the answer is not one of a Driftline monitor"
    wait = _wait(headers.get("Retry-After"), now)
    may_be_content = status == INTERNAL_ERROR or not isinstance(error, dict)
    return Answer(
        BatchOutcome.RETRY, f"HTTP {status}: {message}", status=status, wait=wait, may_be_content=may_be_content
    )


def _is_divisible(status: int, error: Mapping[str, object]) -> bool:
    return status != 415 and error.get("code") != "batch_conflict"


def _named_rows(faults: Sequence[str]) -> tuple[int, ...]:
    """Return the numbers of rows in the texts of faults; a value that a text quotes may look like one, too."""
    numbers = (int(digits.replace(",", "")) for fault in faults for digits in _ROW.findall(fault))
    return tuple(dict.fromkeys(numbers))


def _faulty_rows(listed: object) -> dict[int, str]:
    """Return the rows that an answer lists as invalid, with their faults."""
    faulty: dict[int, str] = {}
    for fault in listed if isinstance(listed, list) else ():
        if isinstance(fault, dict) and type(row := fault.get("row")) is int:
            text = f"row {row:,}, column {fault.get('column')!r}: {fault.get('value')!r}; {fault.get('cure')}"
            faulty[row] = f"{faulty[row]}; {text}" if row in faulty else text
    return faulty


def _json_object(body: bytes) -> dict[str, object]:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _wait(header: str | None, now: datetime) -> float | None:
    """Return the seconds of a Retry-After, which are a number or a date of HTTP."""
    if header is None:
        return None
    try:
        seconds = float(header) if header.strip().isdigit() else (_http_date(header) - now).total_seconds()
    except ValueError:
        return None
    return min(max(seconds, 0.0), LONGEST_WAIT)


def _http_date(text: str) -> datetime:
    instant = parsedate_to_datetime(text)
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
