"""Draws schedules from a seed: what each sender does, one step after the other, and which process is killed when.

No I/O here. Senders run at the same time. Each one has predictions of its own; labels may be of any sender's
predictions, except those that are deleted: in whichever order labels arrive, the newest one is stored.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

FIRST = datetime(2026, 2, 1, tzinfo=UTC)
DAYS = 6
LAST = FIRST + timedelta(days=20, hours=1)
"""The event time of a last prediction, by which all other chunks close."""
CARRIERS = ("AA", "DL", "DL", "UA", "UA", "<b>ü</b>")
"""The last one is not in the reference, so that results and reasons name it."""
REVISIONS: tuple[dict[str, Any], ...] = (
    {"label_delay": "P1D"},
    {"minimum_rows": 40},
    {"time_zone": "Asia/Tokyo"},
    {"segments": ["carrier"]},
    {"drift_alerts": True},
    {"allowed_lateness": "PT12H", "alert_budget": 12},
    {"continuous_methods": ["kolmogorov_smirnov"]},
)
"""Changes of a spec."""


class SenderKind(StrEnum):
    """A sender of rows: a program that uses the API, two that use the client, and the command for files."""

    HTTP = "http"
    CLIENT_1 = "client_1"
    CLIENT_2 = "client_2"
    FILES = "files"


class Process(StrEnum):
    """A process that can be killed."""

    SERVER = "server"
    POLLER_1 = "poller_1"
    POLLER_2 = "poller_2"
    CLIENT_1 = "client_1"
    CLIENT_2 = "client_2"
    FILES = "files"


class Kind(StrEnum):
    """What a step does."""

    PREDICTIONS = "predictions"
    LABELS = "labels"
    CORRECTIONS = "corrections"
    DELETION = "deletion"
    DELETION_BY_VALUE = "deletion by value"
    INVALID = "invalid predictions"
    CONFLICT = "conflicting predictions"
    AGAIN = "the last batch again"
    REVISION = "spec revision"
    SECOND_VERSION = "second version"
    RETIRED_FOR_A_WHILE = "first version retired and registered again"
    POLL = "poll by request"


CHANGES_OF_ROWS = (Kind.CORRECTIONS, Kind.DELETION, Kind.DELETION_BY_VALUE)


@dataclass(frozen=True, slots=True)
class Kill:
    """A process, and how many seconds after the start of a step it is killed."""

    process: Process
    seconds: float


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a sender: the ids of its rows, and the content that all of them have.

    `form` says how rows are sent: a call of the client, a format of a file. `resent` is whether the rows of a killed
    process are sent again; else they may be stored or not.
    """

    kind: Kind
    ids: tuple[str, ...] = ()
    content: int = 0
    form: str = ""
    pause: float = 0.0
    resent: bool = True
    kill: Kill | None = None


@dataclass(frozen=True)
class SoakSchedule:
    """The steps of each sender, and whether there is a second version: then a client's rows may be of either."""

    name: str
    steps: dict[SenderKind, list[Step]]

    @property
    def kinds(self) -> set[Kind]:
        """The kinds of all steps."""
        return {step.kind for steps in self.steps.values() for step in steps}


def row_of(row_id: str, content: int) -> dict[str, Any]:
    """Return a prediction as a flat table has it; other content is another value, and sometimes another day."""
    draws = random.Random(f"{row_id} {content}")
    sender, day, _ = row_id.split("/")
    moved = draws.choice((0, 0, 1)) if content else 0
    score = draws.random()
    return {
        "event_time": FIRST + timedelta(days=int(day) + moved, seconds=draws.randrange(86_400)),
        "id": row_id,
        "prediction": int(score >= 0.5),
        "probability_1": score,
        "minutes": None if draws.random() < 0.05 else draws.gauss(score, 1) + (2 if int(day) == 3 else 0) + content,
        "carrier": f"gone {sender}" if is_deleted_by_value(row_id) else draws.choice(CARRIERS),
    }


def label_of(row_id: str, content: int) -> tuple[datetime, int]:
    """Return when a label is known, and its value; labels of other contents are known later, or at the same time."""
    draws = random.Random(f"label {row_id} {content}")
    known_at = FIRST + timedelta(days=int(row_id.split("/")[1]) + 2 + content // 2)
    return known_at, int(draws.random() < 0.5)


def is_deleted_by_id(row_id: str) -> bool:
    """Return whether a deletion may name the prediction."""
    return row_id.endswith("3")


def is_deleted_by_value(row_id: str) -> bool:
    """Return whether a deletion may name the value of the prediction's carrier."""
    return row_id.endswith("07")


def is_kept(row_id: str) -> bool:
    """Return whether no deletion names the prediction."""
    return not (is_deleted_by_id(row_id) or is_deleted_by_value(row_id))


def draw_schedule(seed: str, kills: int) -> SoakSchedule:
    """Return the schedule of a seed, in which processes are killed so often."""
    draws = random.Random(seed)
    ids = {sender: _ids(draws, sender) for sender in SenderKind}
    surviving = [row_id for row_ids in ids.values() for row_id in row_ids if is_kept(row_id)]
    steps = {sender: [*_steps(draws, sender, ids[sender], surviving)] for sender in SenderKind}
    steps[SenderKind.HTTP] = _with_operations(draws, steps[SenderKind.HTTP])
    for _ in range(kills):
        _add_kill(draws, steps)
    return SoakSchedule(f"soak-{seed.replace('/', '-')}", steps)


def _ids(draws: random.Random, sender: SenderKind) -> list[str]:
    """Return the ids of a sender's predictions in the order of their days, as a program makes them, more or less."""
    count = draws.randint(60, 130)
    days = sorted(min(DAYS - 1, max(0, int(DAYS * n / count + draws.gauss(0, 0.5)))) for n in range(count))
    return [f"{sender}/{day}/{number:03}" for number, day in enumerate(days)]


def _steps(draws: random.Random, sender: SenderKind, row_ids: list[str], surviving: Sequence[str]) -> Iterator[Step]:
    """Yield the steps of a sender: its predictions in some batches, and between them labels and changes."""
    count = draws.randint(3, 6)
    size = -(-len(row_ids) // count)
    sent: list[str] = []
    for first in range(0, len(row_ids), size):
        batch = row_ids[first : first + size]
        yield _paused(draws, Step(Kind.PREDICTIONS, tuple(batch), form=_form(draws, sender)))
        sent += batch
        if draws.random() < 0.8:
            labelled = draws.sample(surviving, draws.randint(5, 60)) + [name for name in sent if not is_kept(name)]
            yield _paused(draws, Step(Kind.LABELS, tuple(labelled), draws.randrange(4), _form(draws, sender)))
        for kind in _changes(draws, sender):
            yield _paused(draws, _change(draws, kind, sent, sender))
            if kind in (Kind.DELETION, Kind.DELETION_BY_VALUE):
                is_deleted = is_deleted_by_id if kind is Kind.DELETION else is_deleted_by_value
                sent = [name for name in sent if not is_deleted(name)]


def _form(draws: random.Random, sender: SenderKind) -> str:
    """Return how a sender sends rows."""
    if sender is SenderKind.FILES:
        return draws.choice(("csv", "parquet", "ndjson"))
    return draws.choice(("json", "csv", "arrow")) if sender is SenderKind.HTTP else draws.choice(("log", "frame"))


def _changes(draws: random.Random, sender: SenderKind) -> list[Kind]:
    """Return what a sender does after a batch, beside labels."""
    likely = {Kind.CORRECTIONS: 0.4, Kind.DELETION: 0.2, Kind.DELETION_BY_VALUE: 0.1, Kind.AGAIN: 0.2}
    if sender is SenderKind.HTTP:
        likely |= {Kind.INVALID: 0.2, Kind.CONFLICT: 0.2, Kind.POLL: 0.03}
    if sender in (SenderKind.CLIENT_1, SenderKind.CLIENT_2):
        likely = {kind: share / 2 for kind, share in likely.items() if kind in CHANGES_OF_ROWS}
    return [kind for kind, share in likely.items() if draws.random() < share]


def _change(draws: random.Random, kind: Kind, sent: list[str], sender: SenderKind) -> Step:
    """Return a step that changes stored predictions, or is refused."""
    surviving = [name for name in sent if is_kept(name)]
    changed = tuple(draws.sample(surviving, min(len(surviving), draws.randint(1, 12))))
    if kind is Kind.DELETION:
        changed = tuple(name for name in sent if is_deleted_by_id(name))
    return Step(kind, changed, draws.randint(1, 5), _form(draws, sender))


def _paused(draws: random.Random, step: Step) -> Step:
    return replace(step, pause=draws.choice((0.0, 0.0, 0.01, 0.05)), resent=draws.random() < 0.7)


def _with_operations(draws: random.Random, steps: list[Step]) -> list[Step]:
    """Insert spec revisions and a switch of versions at random places, in their order."""
    operations: list[Step] = []
    if draws.random() < 0.3:
        operations.append(Step(Kind.SECOND_VERSION))
        if draws.random() < 0.4:
            operations.append(Step(Kind.RETIRED_FOR_A_WHILE, pause=draws.choice((0.0, 0.1))))
    if draws.random() < 0.4:
        operations.insert(draws.randint(0, len(operations)), Step(Kind.REVISION, content=draws.randrange(100)))
    places = sorted(draws.randint(1, len(steps)) for _ in operations)
    for shift, (place, operation) in enumerate(zip(places, operations, strict=True)):
        steps.insert(place + shift, operation)
    return steps


def _add_kill(draws: random.Random, steps: dict[SenderKind, list[Step]]) -> None:
    """Add a kill to a step that has none: of the sender's process, or of one that works on what it sends."""
    free = [
        (sender, n)
        for sender, sender_steps in steps.items()
        for n, step in enumerate(sender_steps)
        if step.kill is None
    ]
    sender, place = draws.choice(free)
    processes = [Process.SERVER, Process.POLLER_1, Process.POLLER_2]
    if sender is not SenderKind.HTTP:
        processes += [Process(sender.value)] * 3
    kill = Kill(draws.choice(processes), draws.choice((0.0, 0.005, 0.02, 0.1)) * draws.random())
    steps[sender][place] = replace(steps[sender][place], kill=kill)
