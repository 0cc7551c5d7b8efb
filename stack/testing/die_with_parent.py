"""Runs a command that is killed when its parent process ends: `die_with_parent.py PARENT_PID COMMAND…`.

Linux only: PR_SET_PDEATHSIG survives exec. Standard library only and run as a script, since it must start quickly.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Ask the system for SIGKILL when the parent ends, then execute the command."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent:
        raise SystemExit("The parent process has already ended.")
    os.execvp(command[0], command)  # noqa: S606  # no shell is meant


if __name__ == "__main__":
    main()
