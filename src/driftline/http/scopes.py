"""What a token of the web services may allow."""

from enum import StrEnum


class Scope(StrEnum):
    """What a token allows; none implies another."""

    READ = "read"
    INGEST = "ingest"
    OPERATE = "operate"
