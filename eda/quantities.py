"""What each explored column is called and measured in. No I/O here."""

from dataclasses import dataclass
from enum import StrEnum

from churn.columns import CDR_USAGE, Cdr


class Unit(StrEnum):
    """Units of the usage columns."""

    CALLS = "calls"
    SECONDS = "seconds"
    MESSAGES = "messages"
    PURCHASES = "purchases"
    BYTES = "bytes"


@dataclass(frozen=True)
class Quantity:
    """A usage column as a reader knows it."""

    column: Cdr
    label: str
    unit: Unit


QUANTITIES: dict[Cdr, Quantity] = {
    quantity.column: quantity
    for quantity in (
        Quantity(Cdr.MOC_COUNT, "Outgoing calls", Unit.CALLS),
        Quantity(Cdr.MOC_DURATION, "Outgoing call time", Unit.SECONDS),
        Quantity(Cdr.MTC_COUNT, "Incoming calls", Unit.CALLS),
        Quantity(Cdr.MTC_DURATION, "Incoming call time", Unit.SECONDS),
        Quantity(Cdr.MOSMS_COUNT, "Messages sent", Unit.MESSAGES),
        Quantity(Cdr.MTSMS_COUNT, "Messages received", Unit.MESSAGES),
        Quantity(Cdr.DATA_COUNT, "Data purchases", Unit.PURCHASES),
        Quantity(Cdr.DATA_VOLUME, "Data volume", Unit.BYTES),
    )
}
"""In the order of `CDR_USAGE`."""

VARIABLES: tuple[Cdr, ...] = (*CDR_USAGE, Cdr.PSEUDO_CHURNED)
"""The columns that are correlated: usage, then the label."""


def label(column: Cdr) -> str:
    """Return a column's name for readers; the label keeps its own."""
    return QUANTITIES[column].label if column in QUANTITIES else str(column)
