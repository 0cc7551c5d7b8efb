"""Starts the lineage of a process, where its settings name a receiver."""

from collections.abc import Iterator
from contextlib import contextmanager

from driftline.errors import InvalidInput
from driftline.lineage import runs
from driftline.lineage.settings import LineageSettings


@contextmanager
def lineage_recorded(settings: LineageSettings | None = None) -> Iterator[None]:
    """Record the runs of this process until the context ends, which delivers the last events.

    Without a receiver nothing is recorded, sent or imported.

    Raises:
        InvalidInput: the settings are not valid, or the libraries of the extra `lineage` are not installed.
    """
    settings = settings or LineageSettings()
    if not settings.are_set:
        yield
        return
    try:
        from driftline.lineage.openlineage import LineageRecorder  # noqa: PLC0415  (nothing is imported without)
    except ModuleNotFoundError as error:
        raise InvalidInput(
            f"DRIFTLINE_LINEAGE_ADDRESS or DRIFTLINE_LINEAGE_FILE is set, and {error.name} is not installed;"
            " run `pip install 'driftline[lineage]'`, or unset the variable."
        ) from error
    recorder = LineageRecorder(settings)
    runs.record_with(recorder)
    try:
        yield
    finally:
        runs.record_with(None)
        recorder.close()
