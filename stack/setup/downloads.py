"""The servers and jars that `make setup` downloads."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from stack import paths
from stack.servers.mariadb import MARIADB
from stack.servers.mysql import MYSQL
from stack.servers.named_server import named_server
from stack.setup import jars
from stack.setup import sql_servers as servers


@dataclass(frozen=True)
class Download:
    """A pinned set of jars, the folder made from it, and the function that fetches it."""

    jars: jars.JarSet
    target: Path
    fetch: Callable[[servers.Progress], None]

    def is_done(self) -> bool:
        """Return whether the folder is complete and of the present version."""
        return jars.is_complete(self.jars, self.target)


DOWNLOADS = (
    Download(jars.MARIADB, MARIADB.home, servers.fetch_mariadb),
    Download(jars.KAFKA, paths.KAFKA_JARS, lambda _: jars.fetch(jars.KAFKA, paths.KAFKA_JARS)),
    Download(jars.SPARK, paths.SPARK_JARS, lambda _: jars.fetch(jars.SPARK, paths.SPARK_JARS)),
    Download(jars.MYSQL, MYSQL.home, servers.fetch_mysql),
)


def missing() -> tuple[Download, ...]:
    """Return the downloads to fetch; without MariaDB if the environment names another program."""
    skips_mariadb = named_server(os.environ) is not None
    required = (download for download in DOWNLOADS if not (skips_mariadb and download.jars is jars.MARIADB))
    return tuple(download for download in required if not download.is_done())


def missing_for_monitor() -> tuple[Download, ...]:
    """Return MariaDB if the monitor alone needs it: the environment names no database server and no program."""
    if os.environ.get("DB_HOST"):
        return ()
    return tuple(download for download in missing() if download.jars is jars.MARIADB)
