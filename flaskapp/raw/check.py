"""Checks a raw data file, every line of it, before anything of it is used."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pandas as pd

from driftline.errors import InvalidInput
from flaskapp.progress import Progress
from flaskapp.raw import file as raw_file
from flaskapp.raw import rules as raw_rules
from flaskapp.raw.rules import Fault

SHOWN_FAULTS = 50


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A file without faults: the SHA-256 of its content in hex, and its first and last stamp, aware."""

    content_hash: str
    first: datetime
    last: datetime


def check_file(path: Path, newest: datetime, progress: Progress) -> CheckedFile:
    """Check every line of a raw data file; a stamp after `newest` is a fault.

    `progress` receives bytes; the file is read twice.

    Raises:
        InvalidInput: the file has faults. `details` lists the first ones with line and column.
        SchemaMismatch: the header has other columns. NotFound: the file is empty.
    """
    digest = raw_file.content_hash(path, progress)
    faults = _Faults()
    ends: list[pd.Timestamp] = []
    for piece in raw_file.pieces(path, progress):
        faults.add(raw_rules.faults_of(piece, newest))
        ends = _ends(ends, raw_rules.stamps(piece).dropna())
    faults.require_none(path)
    if not ends:
        raise InvalidInput(f"{path} has a header and no records; nothing was loaded.")
    return CheckedFile(digest, ends[0].to_pydatetime(), ends[-1].to_pydatetime())


def _ends(ends: list[pd.Timestamp], stamps: "pd.Series[pd.Timestamp]") -> list[pd.Timestamp]:
    """Return the first and the last of all stamps so far; an empty list before the first one."""
    candidates = sorted([*ends, *([stamps.min(), stamps.max()] if len(stamps) else [])])
    return [candidates[0], candidates[-1]] if candidates else []


class _Faults:
    """The first faults of a file, and the number of all."""

    def __init__(self) -> None:
        self.first: list[Fault] = []
        self.total = 0

    def add(self, faults: Iterator[Fault]) -> None:
        for fault in sorted(faults, key=lambda fault: fault.line):
            self.total += 1
            if len(self.first) < SHOWN_FAULTS:
                self.first.append(fault)

    def require_none(self, path: Path) -> None:
        if self.total:
            limit_note = "" if self.total <= SHOWN_FAULTS else f", of which the first {SHOWN_FAULTS} are listed"
            raise InvalidInput(
                f"{path} has {self.total:,} faults{limit_note}; nothing was loaded.",
                details=tuple(map(str, self.first)),
            )
