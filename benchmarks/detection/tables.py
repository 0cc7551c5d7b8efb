"""The printed tables, in Markdown."""

from collections.abc import Sequence

from benchmarks.detection.runs import JudgedByLevel
from benchmarks.detection.score import IN_TIME, JudgedStream, Share, delay, is_detected, score

HEADER = [
    "harmful, found in time",
    "harmful, ever found",
    "delay: median, worst",
    "all, ever found",
    "false per 100 chunks",
    "right columns named",
]


def by_level(judged: JudgedByLevel) -> str:
    """Return each level's score, one row per level."""
    return _table(["simulated", *HEADER], [[level, *_cells(streams)] for level, streams in judged.items()])


def by_drift(judged: JudgedByLevel) -> str:
    """Return how often each level detects each drift: in time, or ever where the drift is harmful in no stream."""
    names = list(dict.fromkeys(truth.name for streams in judged.values() for truth, _ in streams if any(truth.drifts)))
    rows = [[name, *(_detected(streams, name) for streams in judged.values())] for name in names]
    return _table(["in time if harmful, else ever", *judged], rows)


def by_chunk(judged: JudgedByLevel) -> str:
    """Return the share of harmful and of other chunks of real data on which each level alarms."""
    names = list(dict.fromkeys(truth.name for streams in judged.values() for truth, _ in streams))
    rows = [[level, *(cell for name in names for cell in _chunks(streams, name))] for level, streams in judged.items()]
    return _table(["alarms on", *(f"{name}, {kind}" for name in names for kind in ("harmful", "other"))], rows)


def _cells(judged: Sequence[JudgedStream]) -> list[str]:
    total = score(judged)
    late = f"{total.delay:g}, {total.delays[-1]}" if total.delays else "–"
    false = f"{100 * total.false.value:.2f} (of {total.false.of:,})"
    return [str(total.in_time), str(total.harmful), late, str(total.all), false, str(total.right)]


def _detected(judged: Sequence[JudgedStream], name: str) -> str:
    streams = [stream for stream in judged if stream[0].name == name]
    late = [delay(*stream) for stream in streams if any(stream[0].harmful)]
    cells = [str(Share.of_all(d is not None and d <= IN_TIME for d in late))] if late else []
    harmless = [is_detected(*stream) for stream in streams if not any(stream[0].harmful)]
    return "; ".join([*cells, *([f"harmless {Share.of_all(harmless)}"] if harmless else [])])


def _chunks(judged: Sequence[JudgedStream], name: str) -> list[str]:
    chunks = [
        pair for truth, alarms in judged if truth.name == name for pair in zip(truth.harmful, alarms, strict=False)
    ]
    return [
        str(Share.of_all(chunk.alarm for is_harmful, chunk in chunks if is_harmful is kind)) for kind in (True, False)
    ]


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
