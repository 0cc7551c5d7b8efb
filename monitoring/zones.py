"""A time zone in a configuration file. No I/O here."""

from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator


def _as_zone(value: Any) -> Any:
    if value is None or isinstance(value, ZoneInfo):
        return value
    try:
        return ZoneInfo(value)
    except (TypeError, LookupError, ValueError, OSError) as error:
        raise ValueError(f"{value!r:.100} is not a time zone; write UTC or Europe/Berlin") from error


AsZone = BeforeValidator(_as_zone)
Zone = Annotated[ZoneInfo, AsZone]
"""A time zone, written as its name."""
