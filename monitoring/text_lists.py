"""A list of texts in a request or a configuration file: a single text is a list of one. No I/O here."""

from pydantic import BeforeValidator


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


AsList = BeforeValidator(_as_list)
