"""A report as a file to store or to send."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReportFile:
    """A report in one format."""

    name: str
    media_type: str
    content: bytes
