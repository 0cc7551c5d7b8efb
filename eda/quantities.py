"""The label and the unit of each explored column. No I/O here."""

from dataclasses import dataclass
from enum import StrEnum

from churn.columns import CDR_USAGE, Cdr


class UsageUnit(StrEnum):
    """Units of the usage columns."""

    CALLS = "calls"
    SECONDS = "seconds"
    MESSAGES = "messages"
    PURCHASES = "purchases"
    BYTES = "bytes"


@dataclass(frozen=True)
class Quantity:
    """A usage column with its label and unit for readers."""

    column: Cdr
    label: str
    unit: UsageUnit


QUANTITIES: dict[Cdr, Quantity] = {
    quantity.column: quantity
    for quantity in (
        Quantity(Cdr.MOC_COUNT, "Outgoing calls", UsageUnit.CALLS),
        Quantity(Cdr.MOC_DURATION, "Outgoing call time", UsageUnit.SECONDS),
        Quantity(Cdr.MTC_COUNT, "Incoming calls", UsageUnit.CALLS),
        Quantity(Cdr.MTC_DURATION, "Incoming call time", UsageUnit.SECONDS),
        Quantity(Cdr.MOSMS_COUNT, "Messages sent", UsageUnit.MESSAGES),
        Quantity(Cdr.MTSMS_COUNT, "Messages received", UsageUnit.MESSAGES),
        Quantity(Cdr.DATA_COUNT, "Data purchases", UsageUnit.PURCHASES),
        Quantity(Cdr.DATA_VOLUME, "Data volume", UsageUnit.BYTES),
    )
}
"""The quantities by column, in the order of `CDR_USAGE`."""

VARIABLES: tuple[Cdr, ...] = (*CDR_USAGE, Cdr.PSEUDO_CHURNED)
"""The correlated columns: usage, then the label."""


def label(column: Cdr) -> str:
    """Return a column's label for readers; PSEUDO_CHURNED keeps its name."""
    return QUANTITIES[column].label if column in QUANTITIES else str(column)
