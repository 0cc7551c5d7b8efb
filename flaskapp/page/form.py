"""The fields of the form as the JSON of a request to start a stream. No I/O here."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from churn.columns import CDR_USAGE
from flaskapp.stream.request import StartStream
from flaskapp.world.drifts import FIELDS, RULES

DRIFTS = 2
"""How many drifts the form has; the API takes more."""
TEXTS = frozenset({"start_date", "kind", "column"})
"""The fields that are not numbers; a day may be a number too."""


@dataclass(frozen=True, slots=True)
class FormField:
    """A field of the form: its name, its label, what is shown where it is empty, and an explanation."""

    name: str
    label: str
    default: str
    hint: str


STREAM_FIELDS = (
    FormField("start_date", "First day", "none: records of now", "with it, each batch is the next day, with labels"),
    FormField("num_batches", "Batches", "10", "days, with a first day"),
    FormField("interval", "Seconds between batches", "60", "0: as fast as possible"),
    FormField("subscribers", "Subscribers", "1000", "of a stream of days"),
    FormField("batch_size", "Records a batch", "1000", "of a stream of now"),
    FormField("seed", "Seed", "7", "the same seed is the same world"),
    FormField("label_delay", "Days until labels are known", "3", ""),
)
"""The fields about the stream; empty ones have the defaults of the API."""

KINDS = {str(kind): rule.meaning for kind, rule in RULES.items()}
COLUMNS = tuple(map(str, CDR_USAGE))


def stream_request(form: Mapping[str, str]) -> dict[str, Any]:
    """Return the request of a filled form; invalid numbers stay texts, which the check refuses."""
    request = dict(_values(form, StartStream.model_fields, ""))
    drifts = [dict(_values(form, FIELDS, f"drift-{number}-")) for number in range(1, DRIFTS + 1)]
    if any(drifts):
        request["drifts"] = [drift for drift in drifts if drift]
    return request


def _values(form: Mapping[str, str], names: Iterable[str], prefix: str) -> Iterator[tuple[str, Any]]:
    """Yield the fields that are filled in."""
    for name in names:
        text = form.get(prefix + name, "").strip()
        if text:
            yield name, text if name in TEXTS else _number(text)


def _number(text: str) -> float | str:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return text
