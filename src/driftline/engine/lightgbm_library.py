"""LightGBM, an optional library that is imported when a method first needs it. No I/O here."""

import importlib
from typing import Any

from driftline.errors import MissingLibrary


def import_lightgbm(purpose: str) -> Any:
    """Return the module `lightgbm`; `purpose` begins the message of the MissingLibrary that is raised without it."""
    try:
        return importlib.import_module("lightgbm")
    except ImportError as exc:
        msg = f"{purpose} requires LightGBM, which is not installed: pip install 'driftline[dle]'"
        raise MissingLibrary(msg) from exc
