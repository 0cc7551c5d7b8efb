"""The key of a model version in the tables. No I/O here."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class VersionKey:
    """Identifies a model version in every table: the model's number and the version within the model."""

    model_number: int
    version: int
