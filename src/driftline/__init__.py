"""Driftline monitors models in production: their performance, their drift, and how far the answer can be trusted.

`backtest` evaluates past predictions chunk by chunk; `Monitor` fits a reference and evaluates one chunk after another.
What a name needs is imported when it is first used: `import driftline` imports neither numpy nor pandas.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from driftline.version import __version__ as __version__

if TYPE_CHECKING:
    from driftline.backtesting.backtest import backtest as backtest
    from driftline.backtesting.output.result import BacktestResult as BacktestResult
    from driftline.engine.results import Result as Result
    from driftline.engine.results import State as State
    from driftline.engine.results import Verdict as Verdict
    from driftline.engine.spec import Spec as Spec
    from driftline.errors import Conflict as Conflict
    from driftline.errors import DriftlineError as DriftlineError
    from driftline.errors import InvalidInput as InvalidInput
    from driftline.errors import MissingLibrary as MissingLibrary
    from driftline.errors import NotFound as NotFound
    from driftline.errors import OutOfMemory as OutOfMemory
    from driftline.errors import SchemaMismatch as SchemaMismatch
    from driftline.errors import Unavailable as Unavailable
    from driftline.monitor import ChunkSummary as ChunkSummary
    from driftline.monitor import EvaluatedChunk as EvaluatedChunk
    from driftline.monitor import FittedMonitor as FittedMonitor
    from driftline.monitor import Monitor as Monitor
    from driftline.report.view import ChunkView as ChunkView


_MODULES = {
    "backtest": "driftline.backtesting.backtest",
    "BacktestResult": "driftline.backtesting.output.result",
    "ChunkSummary": "driftline.monitor",
    "ChunkView": "driftline.report.view",
    "EvaluatedChunk": "driftline.monitor",
    "FittedMonitor": "driftline.monitor",
    "Monitor": "driftline.monitor",
    "Result": "driftline.engine.results",
    "Spec": "driftline.engine.spec",
    "State": "driftline.engine.results",
    "Verdict": "driftline.engine.results",
    **dict.fromkeys(
        (
            "Conflict",
            "DriftlineError",
            "InvalidInput",
            "MissingLibrary",
            "NotFound",
            "OutOfMemory",
            "SchemaMismatch",
            "Unavailable",
        ),
        "driftline.errors",
    ),
}
"""The module of each public name."""

__all__ = [  # noqa: PLE0604  (the names are those of the table)
    "__version__",
    *_MODULES,
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name not in _MODULES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names, for completion."""
    return sorted(__all__)
