"""A stream with known truth: the input of a tool, and the truth about each chunk."""

from dataclasses import dataclass

import pandas as pd

from driftline.engine.spec import Spec


@dataclass(frozen=True)
class Truth:
    """The truth about a stream; no tool receives it.

    `name` is the drift ("none" where there is none), `case` distinguishes streams of the same name. `drifts` and
    `harmful` are by chunk of the analysis, in order: whether it drifts, and whether the model performs worse than in
    the reference by more than a margin. `columns` are the drifted features, none where only the model or the label
    drifts; `features` are all. The first `lead` chunks are in another stream too and not counted here.
    """

    name: str
    case: str
    drifts: tuple[bool, ...]
    harmful: tuple[bool, ...]
    columns: frozenset[str] = frozenset()
    features: frozenset[str] = frozenset()
    lead: int = 0


@dataclass(frozen=True, eq=False)
class Stream:
    """Scored and labeled rows of the reference and of the analysis, divided into chunks by `spec`."""

    truth: Truth
    reference: pd.DataFrame
    analysis: pd.DataFrame
    spec: Spec
