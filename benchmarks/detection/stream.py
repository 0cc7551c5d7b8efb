"""A stream with known truth: what a tool is given, and what is true of each of its chunks."""

from dataclasses import dataclass

import pandas as pd

from driftline.engine.spec import Spec


@dataclass(frozen=True)
class Truth:
    """What is true of a stream; no tool sees it.

    `name` is the drift ("none" where there is none), `case` tells streams of one name apart. `drifts` and `hurts` are
    by chunk of the analysis, in order: whether it drifts, and whether the model does worse than in the reference by
    more than a margin (`hurting`). `columns` are the features that drift by themselves, none where it is the model or
    the label that does; `features` are all. The first `lead` chunks are in another stream too: not counted here.
    """

    name: str
    case: str
    drifts: tuple[bool, ...]
    hurts: tuple[bool, ...]
    columns: frozenset[str] = frozenset()
    features: frozenset[str] = frozenset()
    lead: int = 0


@dataclass(frozen=True, eq=False)
class Stream:
    """Scored and labelled rows of the reference and of the analysis, cut into chunks as `spec` says."""

    truth: Truth
    reference: pd.DataFrame
    analysis: pd.DataFrame
    spec: Spec
