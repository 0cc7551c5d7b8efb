"""Starts the traces of a process, where its settings name an address."""

from collections.abc import Iterator
from contextlib import contextmanager

from driftline import spans
from driftline.errors import InvalidInput
from driftline.traces.settings import TraceSettings


@contextmanager
def traced(service: str, settings: TraceSettings | None = None) -> Iterator[None]:
    """Record the spans of this process under the name of its service until the context ends, which sends the last.

    Enter it before the app and the database engine are made. Without an address nothing is recorded, sent or imported.

    Raises:
        InvalidInput: the settings are not valid, or the libraries of the extra `traces` are not installed.
    """
    settings = settings or TraceSettings()
    if not settings.address:
        yield
        return
    try:
        from driftline.traces.otlp import OtlpRecorder  # noqa: PLC0415  (nothing is imported without an address)
    except ModuleNotFoundError as error:
        raise InvalidInput(
            f"DRIFTLINE_TRACES_ADDRESS is set, and {error.name} is not installed;"
            " run `pip install 'driftline[traces]'`, or unset the variable."
        ) from error
    recorder = OtlpRecorder(settings, service)
    spans.record_with(recorder)
    try:
        yield
    finally:
        spans.record_with(None)
        recorder.close()
