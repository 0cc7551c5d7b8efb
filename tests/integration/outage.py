"""How long servers stay away in the tests of outages: as short as can be, or OUTAGE_SECONDS."""

import os
import time

OUTAGE_SECONDS = float(os.environ.get("OUTAGE_SECONDS", "0"))


def wait_out() -> None:
    """Wait while a server is away."""
    time.sleep(OUTAGE_SECONDS)
