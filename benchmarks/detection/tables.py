"""The tables that are printed, in Markdown."""

from collections.abc import Sequence

from benchmarks.detection.asking import ByVoice
from benchmarks.detection.score import IN_TIME, Heard, Share, delay, found, score

HEADER = [
    "that hurt, found in time",
    "that hurt, found ever",
    "delay: median, worst",
    "all, found ever",
    "false per 100 chunks",
    "right columns named",
]


def by_voice(heard: ByVoice) -> str:
    """Show each voice's score, a row a voice."""
    return _table(["simulated", *HEADER], [[voice, *_cells(own)] for voice, own in heard.items()])


def by_drift(heard: ByVoice) -> str:
    """Show of how many streams each voice found each drift in time; where it hurts in none, ever."""
    names = list(dict.fromkeys(truth.name for own in heard.values() for truth, _ in own if any(truth.drifts)))
    rows = [[name, *(_found(own, name) for own in heard.values())] for name in names]
    return _table(["in time where it hurts; ever where not", *heard], rows)


def by_chunk(heard: ByVoice) -> str:
    """Show of real data which share of the chunks that hurt, and of the others, each voice alarms on."""
    names = list(dict.fromkeys(truth.name for own in heard.values() for truth, _ in own))
    rows = [[voice, *(cell for name in names for cell in _chunks(own, name))] for voice, own in heard.items()]
    return _table(["alarms on", *(f"{name}, {what}" for name in names for what in ("hurting", "other"))], rows)


def _cells(heard: Sequence[Heard]) -> list[str]:
    own = score(heard)
    late = f"{own.delay:g}, {own.delays[-1]}" if own.delays else "–"
    false = f"{100 * own.false.value:.2f} (of {own.false.of:,})"
    return [str(own.in_time), str(own.hurting), late, str(own.all), false, str(own.right)]


def _found(heard: Sequence[Heard], name: str) -> str:
    own = [one for one in heard if one[0].name == name]
    late = [delay(*one) for one in own if any(one[0].hurts)]
    cells = [str(Share.of_all(d is not None and d <= IN_TIME for d in late))] if late else []
    harmless = [found(*one) for one in own if not any(one[0].hurts)]
    return "; ".join([*cells, *([f"harmless {Share.of_all(harmless)}"] if harmless else [])])


def _chunks(heard: Sequence[Heard], name: str) -> list[str]:
    own = [pair for truth, said in heard if truth.name == name for pair in zip(truth.hurts, said, strict=False)]
    return [str(Share.of_all(said.alarm for hurts, said in own if hurts is wanted)) for wanted in (True, False)]


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
