"""The shop's database: a MariaDB of its own with a binary log, and accounts with the rights that each needs."""

import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import URL, Engine, create_engine

from examples.lakehouse.shop.orders import CATALOG, COPY, METADATA, SHOP
from examples.monitor_api import wait_for
from examples.processes import LOOPBACK, BackgroundProcess
from examples.servers import ROOT

PROGRAM = ROOT / "build" / "mariadb" / "bin" / "mariadbd"
START_SECONDS = 120
RIGHTS = {
    "owner": {f"{SHOP}.*": "ALL"},
    "poller": {f"{SHOP}.*": "SELECT, INSERT, UPDATE, DELETE"},
    "debezium": {"*.*": "REPLICATION SLAVE, BINLOG MONITOR", f"{SHOP}.*": "SELECT"},
    "sink": {f"{COPY}.*": "SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER"},
    "lake": {f"{CATALOG}.*": "SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER"},
    "auditor": {f"{SHOP}.*": "SELECT", f"{COPY}.*": "SELECT"},
}
"""What each account may do: who migrates, polls, reads the binary log, writes the copy, catalogues, and compares."""
DATABASES = {SHOP: "utf8mb4", COPY: "utf8mb4", CATALOG: "latin1"}
"""The schemas with their character sets; keys of Iceberg's catalogue are too long in utf8mb4."""


@dataclass(frozen=True)
class ShopDatabase:
    """A server that runs on loopback: its process, and the passwords of its accounts."""

    process: BackgroundProcess
    folder: Path
    passwords: Mapping[str, str] = field(repr=False)

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.process.port

    def engine(self, account: str, schema: str = SHOP) -> Engine:
        """Return an engine of an account; it opens no connection yet."""
        url = URL.create("mysql+pymysql", account, self.passwords[account], LOOPBACK, self.port, schema)
        return create_engine(url, pool_pre_ping=True)

    def start(self) -> None:
        """Start the server unless it runs, and wait until it answers."""
        data = self.folder / "data"
        command = (
            str(PROGRAM), "--no-defaults", f"--basedir={PROGRAM.parents[1]}", f"--datadir={data}", f"--tmpdir={data}",
            f"--port={self.port}", f"--bind-address={LOOPBACK}", "--socket=server.sock", "--pid-file=server.pid",
            "--character-set-server=utf8mb4", "--collation-server=utf8mb4_bin", "--default-time-zone=+00:00",
            "--skip-ssl", "--log-bin=binlog", "--server-id=1", "--binlog-format=ROW", "--binlog-row-image=FULL",
            f"--init-file={self.folder / 'accounts.sql'}", *as_root(),
        )  # fmt: skip
        self.process.start(command, {"TZ": "UTC"}, ROOT)
        wait_for(lambda: self.process.listens, "The shop's database", START_SECONDS, process=self.process)


def start_shop_database(folder: Path, processes: Path) -> ShopDatabase:
    """Start the database, with its accounts and tables."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    passwords = _passwords(folder / "passwords.json")
    (folder / "accounts.sql").write_text("\n".join(_statements(passwords)))
    if not (folder / "data").exists():
        _initialize(folder / "data")
    database = ShopDatabase(BackgroundProcess("shop-mariadb", processes), folder, passwords)
    database.start()
    engine = database.engine("owner")
    METADATA.create_all(engine)
    engine.dispose()
    return database


def _initialize(data: Path) -> None:
    """Fill the data folder, in a folder beside it that is renamed in the end, in case of an interruption.

    Root may connect only by the socket, as the user of the system who owns the server.
    """
    if not PROGRAM.exists():
        raise SystemExit(f"MariaDB is not in {PROGRAM}; run `make setup` without DRIFTLINE_MYSQLD and DB_HOST.")
    staged = data.with_suffix(".partial")
    shutil.rmtree(staged, ignore_errors=True)
    command = (
        str(PROGRAM.parents[1] / "scripts" / "mariadb-install-db"), "--no-defaults", f"--basedir={PROGRAM.parents[1]}",
        f"--datadir={staged}", "--auth-root-authentication-method=socket", "--skip-test-db", "--force", *as_root(),
    )  # fmt: skip
    completed = subprocess.run(command, capture_output=True, text=True, check=False)
    if completed.returncode:
        raise SystemExit(f"MariaDB could not initialize {data}:\n{(completed.stdout + completed.stderr)[-2000:]}")
    staged.rename(data)


def as_root() -> tuple[str, ...]:
    """Return the flag without which the server refuses to run as root."""
    return ("--user=root",) if os.geteuid() == 0 else ()


def _statements(passwords: Mapping[str, str]) -> list[str]:
    """Return what the server runs at each start, one statement on each line; names and passwords are the example's."""
    lines = [
        f"CREATE DATABASE IF NOT EXISTS {name} CHARACTER SET {characters};" for name, characters in DATABASES.items()
    ]
    for account, rights in RIGHTS.items():
        lines.append(f"CREATE USER IF NOT EXISTS {account}@localhost IDENTIFIED BY '{passwords[account]}';")
        lines.extend(f"GRANT {right} ON {scope} TO {account}@localhost;" for scope, right in rights.items())
    return lines


def _passwords(file: Path) -> Mapping[str, str]:
    """Return the passwords, drawn at the first run."""
    if not file.exists():
        drawn = {account: secrets.token_hex(16) for account in RIGHTS}
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), "w") as opened:
            json.dump(drawn, opened)
    passwords: dict[str, str] = json.loads(file.read_text())
    return passwords
