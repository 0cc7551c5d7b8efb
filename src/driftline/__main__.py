"""The `driftline` command, and `python -m driftline`."""

import signal
from types import FrameType

INTERRUPTED = 130


class Terminated(BaseException):
    """SIGTERM was received: as this passes, unfinished files are removed."""


def main() -> None:
    """Run the command line; Ctrl-C ends it without a traceback, also while modules are imported and commands built."""
    signal.signal(signal.SIGTERM, _raise_terminated)
    try:
        _run()
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None
    except Terminated:
        signal.raise_signal(signal.SIGTERM)


def _run() -> None:
    """Run the command line; afterwards, when nothing is left to be removed, signals end the process at once."""
    try:
        from driftline.cli import main as run  # noqa: PLC0415  # takes most of a second

        run()
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)


def _raise_terminated(_number: int, _frame: FrameType | None) -> None:
    raise Terminated


if __name__ == "__main__":
    main()
