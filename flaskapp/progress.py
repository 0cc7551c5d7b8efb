"""The progress of a command: a bar on standard error."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, ProgressColumn, TextColumn
from rich.progress import Progress as Bars

Progress = Callable[[int], None]
"""Takes the amount of work done since the last call."""


@contextmanager
def progress_bar(title: str, total: int, *columns: ProgressColumn) -> Iterator[Progress]:
    """Show a bar with a title and further columns while the context lasts; yield the function that advances it."""
    all_columns = (TextColumn("{task.description}"), BarColumn(), *columns)
    with Bars(*all_columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(title, total=total)
        yield lambda amount: bars.advance(task, amount)
