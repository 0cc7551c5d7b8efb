"""A simulated network: usage that follows mlc_churn, late labels, and drift on request. No I/O here.

Simulated data is recognizable: phone numbers start with 999, a calling code of no country.
"""

from flaskapp.world.drifts import RULES, Drift, DriftKind, parse_drifts
from flaskapp.world.frames import KNOWN_AT, LABEL_COLUMNS, NUMBER, RECORD_COLUMNS, TRUTH_COLUMNS
from flaskapp.world.parameters import Parameters
from flaskapp.world.population import Population, populate
from flaskapp.world.world import World

__all__ = [
    "KNOWN_AT",
    "LABEL_COLUMNS",
    "NUMBER",
    "RECORD_COLUMNS",
    "RULES",
    "TRUTH_COLUMNS",
    "Drift",
    "DriftKind",
    "Parameters",
    "Population",
    "World",
    "parse_drifts",
    "populate",
]
