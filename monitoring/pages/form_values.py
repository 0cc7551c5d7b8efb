"""Values of forms: a form sends fields that were left empty, which count as absent. No I/O here."""

from typing import Annotated, Any

from pydantic import BeforeValidator


def _absent(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


EMPTY_IS_ABSENT = BeforeValidator(_absent)
OptionalText = Annotated[str | None, EMPTY_IS_ABSENT]
"""A limit of its length belongs in `= Field(None, max_length=…)`: in the annotation it would be applied to None."""
