"""The servers and jars that `make setup` fetches: what each is, whether it is there, how it is had."""

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
    """A pinned set of jars and the folder made of it."""

    jars: jars.JarSet
    target: Path
    fetch: Callable[[servers.Progress], None]

    def is_done(self) -> bool:
        """Whether it is there, whole and of the present version."""
        return jars.is_complete(self.jars, self.target)


DOWNLOADS = (
    Download(jars.MARIADB, MARIADB.home, servers.fetch_mariadb),
    Download(jars.KAFKA, paths.KAFKA_JARS, lambda _: jars.fetch(jars.KAFKA, paths.KAFKA_JARS)),
    Download(jars.SPARK, paths.SPARK_JARS, lambda _: jars.fetch(jars.SPARK, paths.SPARK_JARS)),
    Download(jars.MYSQL, MYSQL.home, servers.fetch_mysql),
)


def missing() -> tuple[Download, ...]:
    """What has to be fetched: no MariaDB where the environment names another server to start."""
    own = named_server(os.environ) is not None
    return tuple(one for one in DOWNLOADS if not one.is_done() and not (own and one.jars is jars.MARIADB))
