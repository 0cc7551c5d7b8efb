"""The scopes of tokens; a module of its own, so that the command line can list them without importing tokens."""

from enum import StrEnum


class Scope(StrEnum):
    """What a token allows; no scope implies another."""

    READ = "read"
    INGEST = "ingest"
    PREDICT = "predict"
    OPERATE = "operate"
    ADMIN = "admin"
    SCRAPE = "scrape"
