"""Paths: what is committed, what `make setup` builds, and the state that `make up` keeps under var/."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
REQUIREMENTS = ROOT / "requirements"
BUILD = ROOT / "build"
JARS = BUILD / "jars"
KAFKA_JARS = JARS / "kafka"
SPARK_JARS = JARS / "spark"
TEMPLATES = BUILD / "templates"
TOOLS = BUILD / "tools"
STACK = ROOT / "stack"
VAR = ROOT / "var"
"""The checkout's own folder of local state."""


def var_folder() -> Path:
    """Return the folder of all local state: $DRIFTLINE_VAR, or var/ in the checkout."""
    return Path(os.environ.get("DRIFTLINE_VAR") or VAR).absolute()
