"""Driftline's alarms on a stream, with its default policy, and with alerts from bounds alone."""

from collections.abc import Sequence

from benchmarks.detection.alarms import AlarmsByLevel, ChunkAlarm
from benchmarks.detection.stream import Stream
from driftline.engine.evaluation.reference import fit_reference
from driftline.engine.results import State, Verdict
from driftline.monitor import EvaluatedChunk, FittedMonitor

BUDGET = 1.0
"""How many false alerts a model-year may have."""


def driftline(streams: Sequence[Stream]) -> list[AlarmsByLevel]:
    """Return alarms that are alerts, and alarms that are warnings or alerts, by both policies."""
    spec = streams[0].spec
    fitted = fit_reference(streams[0].reference, spec)
    evaluated = [list(FittedMonitor(spec, fitted).evaluate_chunks(stream.analysis)) for stream in streams]
    budgets = {"Driftline": BUDGET, "Driftline, bounds alone": None}
    specs = {name: spec.model_copy(update={"alert_budget": budget}) for name, budget in budgets.items()}
    monitors = {name: FittedMonitor(variant, fitted) for name, variant in specs.items()}
    return [_by_level(monitors, chunks) for chunks in evaluated]


def _by_level(monitors: dict[str, FittedMonitor], chunks: Sequence[EvaluatedChunk]) -> AlarmsByLevel:
    by_level: dict[str, Sequence[ChunkAlarm]] = {}
    for name, monitor in monitors.items():
        verdicts = monitor.verdicts(chunks)
        by_level[f"{name}: alert"] = _alarms(verdicts, State.ALERT)
        by_level[f"{name}: warning or alert"] = _alarms(verdicts, State.WARN, State.ALERT)
    return by_level


def _alarms(verdicts: Sequence[Verdict], *states: State) -> list[ChunkAlarm]:
    return [ChunkAlarm(verdict.state in states, frozenset(verdict.drifted)) for verdict in verdicts]
