"""The supervisor of a var folder: `python -m stack.supervision VAR`."""

import logging
import sys
from pathlib import Path

from stack.servers.processes import ProcessHome
from stack.supervision.supervisor import Supervisor


def main() -> None:
    """Supervise until SIGTERM."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)sZ %(levelname)s %(message)s")
    Supervisor(ProcessHome(Path(sys.argv[1]))).run()


if __name__ == "__main__":
    main()
