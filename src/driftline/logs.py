"""The logging configuration of every service: one line per event, with the time in UTC."""

import logging
import time


class _UtcFormatter(logging.Formatter):
    converter = staticmethod(time.gmtime)


def configure(service: str, level: int = logging.INFO) -> None:
    """Log to standard error in lines such as `2026-01-31T08:00:00Z INFO monitor driftline.poller: message`."""
    handler = logging.StreamHandler()
    handler.setFormatter(
        _UtcFormatter(f"%(asctime)s %(levelname)s {service} %(name)s: %(message)s", datefmt="%Y-%m-%dT%H:%M:%SZ")
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("apscheduler", "werkzeug", "kafka", "py4j", "matplotlib", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
