"""The lines with which a program sends a model's predictions and labels. No I/O here."""

from dataclasses import dataclass

from driftline.engine.catalogue import ColumnKind, Problem
from driftline.store.versions.registry import Version


@dataclass(frozen=True, slots=True)
class ClientSnippet:
    """What a program of the user calls, in Python and in a shell."""

    python: str
    shell: str


def client_snippet(version: Version, address: str) -> ClientSnippet:
    """Return the lines for a model version; `address` is that of the monitor."""
    spec, sources = version.spec, version.layout.sources
    features = ", ".join(
        f"{sources.get(column.name, column.name)!r}: {'0.0' if column.kind is ColumnKind.CONTINUOUS else repr('value')}"
        for column in spec.columns
    )
    outcome, score = _outcome(version)
    python = f"""from driftline.client import Monitor

monitor = Monitor({address!r}, {version.name!r}, spool="var/spool")

# for each prediction
features = {{{features}}}
prediction_id = monitor.log(features, prediction={outcome}{score})

# later, when the true outcome is known
monitor.log_labels({{prediction_id: {outcome}}})
"""
    shell = f"driftline ingest {version.name} predictions.csv\ndriftline ingest {version.name} labels.csv --labels\n"
    return ClientSnippet(python, shell)


def _outcome(version: Version) -> tuple[str, str]:
    """Return an example of a prediction and of its score, as they stand in a call."""
    spec = version.spec
    if spec.problem is Problem.REGRESSION:
        return "12.5", ""
    if spec.problem is Problem.MULTICLASS:
        share = round(1 / len(spec.classes), 3)
        return repr(spec.classes[0]), f", score={dict.fromkeys(spec.classes, share)!r}"
    return "1", ", score=0.9"
