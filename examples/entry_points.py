"""How programs of the examples end: an expected error is a message, not a traceback."""

import re
import sys
from collections.abc import Callable

FAILED, INTERRUPTED = 1, 130
REPORTED = re.compile(r"Traceback \(most recent call last\):.*?^\w[\w.]*: (.*?)$", re.MULTILINE | re.DOTALL)
"""The message of an error of Python within that of Spark, which contains its traceback."""


def run_main(main: Callable[[], int], *expected: type[Exception]) -> int:
    """Run a program and return its exit status: 1 after an error that is expected, whose message is printed.

    Expected are errors of the system and the network, and those that the program names: this module is also imported
    where Driftline is not installed.
    """
    errors: tuple[type[Exception], ...] = (OSError, *expected)
    try:
        return main()
    except errors as error:
        sys.stderr.write(f"{message_of(error)}\n")
        return FAILED
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted; run the same command again to continue.\n")
        return INTERRUPTED


def message_of(error: Exception) -> str:
    """Return the message of an error: for one of the system its file first, for one of a stream its function's."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror}."
    if reported := REPORTED.search(str(error)):
        return reported[1]
    return str(error) or type(error).__name__
