"""`python -m devtools.checks.workflows`: runs actionlint on `.github/workflows/`; without actionlint, only a warning.

Its use of shellcheck and pyflakes is off, since the result would depend on the machine.
"""

import subprocess
import sys

from stack import paths
from stack.console import print_error, print_line, print_warning
from stack.errors import StackError
from stack.setup import tools

OPTIONS = ("-shellcheck=", "-pyflakes=")
FAILED = 1


def main() -> int:
    """Lint every workflow; the exit status is 1 if one has a fault."""
    reason = tools.reason_missing(tools.ACTIONLINT)
    if reason:
        print_warning(f"NOT CHECKED: the workflows. {reason}")
        return 0
    try:
        program = tools.path(tools.ACTIONLINT)
    except StackError as error:
        print_error(str(error))
        return FAILED
    completed = subprocess.run((str(program), *OPTIONS), cwd=paths.ROOT, check=False)
    if not completed.returncode:
        print_line("actionlint: no faults in the workflows.")
    return completed.returncode


if __name__ == "__main__":
    sys.exit(main())
