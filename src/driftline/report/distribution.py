"""Two distributions on top of each other as geometry: the reference as areas, the chunk as a line. No I/O here."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf

from driftline.engine.localization import OTHER_CATEGORIES, Contribution
from driftline.engine.number_format import percent, readable
from driftline.report.charts import Mark, ValueAxis

WIDTH, HEIGHT, LEFT_MARGIN, RIGHT_MARGIN = 900.0, 260.0, 52.0, 12.0
MOST_BARS = 24
"""Categories beyond this many, the rarest, are drawn as one bar."""
MOST_TICKS = 8


@dataclass(frozen=True, slots=True)
class DistributionBar:
    """A bin or category: its place, and the heights of both shares; `words` are its name and numbers."""

    x: float
    width: float
    reference_y: float
    chunk_y: float
    words: str
    largest: bool


@dataclass(frozen=True, slots=True)
class DistributionChart:
    """Both distributions: a bar for each bin or category, and labels below and beside them."""

    bars: tuple[DistributionBar, ...]
    x_ticks: tuple[Mark, ...]
    y_ticks: tuple[Mark, ...]
    base: float
    width: float = WIDTH
    height: float = HEIGHT
    left: float = LEFT_MARGIN
    right: float = RIGHT_MARGIN


def part_name(part: Contribution) -> str:
    """Return a bin's or category's name for people."""
    if part.lower is None or part.upper is None:
        return "other values" if part.part == OTHER_CATEGORIES else part.part
    return f"{readable(part.lower, 4)} to {readable(part.upper, 4)}"


def draw_distributions(contributions: Sequence[Contribution]) -> DistributionChart:
    """Draw the shares of both sides; `contributions` are in the order of `driftline.engine.localization.localize`."""
    parts = _drawn(contributions)
    scale = ValueAxis(0.0, 1.1 * max(max(part.reference, part.chunk) for part in parts), HEIGHT)
    step = (WIDTH - LEFT_MARGIN - RIGHT_MARGIN) / len(parts)
    numeric = parts[0].lower is not None
    gap = 0.0 if numeric else step * 0.15
    bars = tuple(
        DistributionBar(
            x=round(LEFT_MARGIN + place * step + gap, 2),
            width=round(step - 2 * gap, 2),
            reference_y=scale.y(part.reference),
            chunk_y=scale.y(part.chunk),
            words=f"{part_name(part)}: {percent(part.reference)} of the reference, {percent(part.chunk)} of the chunk",
            largest=part is contributions[0],
        )
        for place, part in enumerate(parts)
    )
    ticks = tuple(Mark(tick.at, percent(float(tick.text))) for tick in scale.ticks)
    return DistributionChart(bars, _x_ticks(parts, step), (Mark(scale.y(0.0), "0 %"), *ticks), scale.y(0.0))


def _drawn(contributions: Sequence[Contribution]) -> list[Contribution]:
    """Return the parts from left to right: bins by value, categories by their share of the reference."""
    parts = [part for part in contributions if part.lower is not None or part.reference or part.chunk]
    if any(part.lower is not None for part in parts):
        return sorted(parts, key=lambda part: inf if part.lower is None else part.lower)
    ordered = sorted(parts, key=lambda part: (part.part == OTHER_CATEGORIES, -part.reference, -part.chunk))
    bars, remainder = ordered[:MOST_BARS], ordered[MOST_BARS:]
    if not remainder:
        return bars
    sums = (sum(p.share for p in remainder), sum(p.reference for p in remainder), sum(p.chunk for p in remainder))
    return [*bars, Contribution(f"{len(remainder)} rarer", *sums)]


def _x_ticks(parts: Sequence[Contribution], step: float) -> tuple[Mark, ...]:
    """Return the labels below: edges of bins, or names of categories in the middle of their bars."""
    every = max(1, -(-len(parts) // MOST_TICKS))
    if parts[0].lower is None:
        longest = max(4, int(step * every / 7))
        return tuple(
            Mark(round(LEFT_MARGIN + (place + 0.5) * step, 1), _short(part_name(part), longest))
            for place, part in enumerate(parts)
            if place % every == 0
        )
    bins = [part for part in parts if part.lower is not None and part.upper is not None]
    edges = [part.lower for part in bins] + [bins[-1].upper]
    marks = [Mark(round(LEFT_MARGIN + n * step, 1), readable(e, 3)) for n, e in enumerate(edges) if e is not None]
    marks = marks[::every]
    if len(parts) > len(bins):
        marks = [mark for mark in marks if mark.at < LEFT_MARGIN + (len(bins) - 0.5) * step]
        marks.append(Mark(round(LEFT_MARGIN + (len(parts) - 0.5) * step, 1), "other"))
    return tuple(before for before, after in pairwise([*marks, Mark(inf, "")]) if after.at - before.at > 44)


def _short(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
