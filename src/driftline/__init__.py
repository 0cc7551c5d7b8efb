"""Driftline watches models in production: how well they do, what has drifted, and whether the answer can be trusted."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from driftline.backtesting.backtest import backtest as backtest

__version__ = "0.1.0"
__all__ = ["__version__", "backtest"]


def __getattr__(name: str) -> Any:
    """Import `backtest` when it is first asked for: it brings pandas along, and most of the library needs none."""
    if name == "backtest":
        from driftline.backtesting.backtest import backtest  # noqa: PLC0415

        return backtest
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
