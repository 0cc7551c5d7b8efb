"""One run of an example: servers, a receiver of their alerts, and data of one choice of options."""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from examples.servers import Servers, start_servers
from examples.webhook_receiver import receiving

OPTIONS = "options.json"
"""The file of the options with which the data of a folder was made."""
DataOptions = Mapping[str, str | int | None]
"""The options that decide which data a folder has, by name."""


@contextmanager
def servers_of_run(
    options: argparse.Namespace, name: str, data_options: DataOptions, roles: Sequence[str], *, kafka: bool = False
) -> Iterator[Servers]:
    """Start the servers of an example, whose alerts are received until the block ends.

    The example's folder keeps the data options of its first run whose servers started; later runs need the same.

    Raises:
        SystemExit: the folder has data of other options; nothing was changed.
    """
    folder = options.var.resolve() / name
    require_options(folder, data_options)
    with receiving() as (receiver, address):
        servers = start_servers(options, roles, alerts=address, kafka=kafka)
        receiver.key = servers.hook_key
        _keep_options(folder, data_options)
        yield servers


def require_options(folder: Path, options: DataOptions) -> None:
    """Refuse options with which the data of a folder was not made; an option that it does not name may be any.

    Raises:
        SystemExit: an option differs; the message has both values.
    """
    file = folder / OPTIONS
    kept = json.loads(file.read_text()) if file.exists() else {}
    kept = {name: value for name, value in kept.items() if name in options}
    if others := [name for name, value in kept.items() if value != options[name]]:
        raise SystemExit(
            f"{folder} has the data of a run with {_flags(kept, others)}, and this run has {_flags(options, others)}; "
            "give the same options, or another folder with --var FOLDER."
        )


def _keep_options(folder: Path, options: DataOptions) -> None:
    if not (folder / OPTIONS).exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / OPTIONS).write_text(json.dumps(options))


def _flags(options: DataOptions, names: Sequence[str]) -> str:
    """Return options as they are given on the command line, `no --calm` for one that is not given."""
    return " and ".join(_flag(f"--{name}", options[name]) for name in names)


def _flag(name: str, value: str | int | None) -> str:
    if value is None or value is False:
        return f"no {name}"
    return name if value is True else f"{name} {value}"
