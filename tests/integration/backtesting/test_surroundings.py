"""The command in unusual environments: the same results or one clear message, and nothing left behind."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow.parquet import encryption

from tests.unit.backtesting.conftest import UNTIL

DRIFTLINE = Path(sys.executable).with_name("driftline")
ALL = (
    *("--timestamp", "when", "--label", "churned", "--score", "score", "--id", "ref"),
    *("--chunk", "1d", "--reference-until", UNTIL),
)
Ran = subprocess.CompletedProcess[str]


def command(
    file: Path,
    *options: object,
    variables: Mapping[str, str] | None = None,
    limit: tuple[int, int] | None = None,
    **more: Any,
) -> Ran:
    """Run `driftline backtest`; `limit` is one of `resource.RLIMIT_…` and its value."""
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")} if variables is None else variables
    return subprocess.run(
        [str(DRIFTLINE), "backtest", str(file), *map(str, options or ALL)],
        capture_output="stdout" not in more,
        text=True,
        check=False,
        env={**environment, "PYTHONDONTWRITEBYTECODE": "1"},  # a limit on files would cut off what is compiled
        preexec_fn=limit and (lambda: resource.setrlimit(limit[0], (limit[1], limit[1]))),
        timeout=120,
        **more,
    )


def message(ran: Ran) -> str:
    """Return the message of a command that rejected its input."""
    assert ran.returncode == 2, (ran.returncode, ran.stderr)
    assert "Traceback" not in ran.stderr
    assert "Warning" not in ran.stderr
    return ran.stderr


@pytest.fixture(scope="module")
def usual(world: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the command prints in the usual environment."""
    path = tmp_path_factory.mktemp("usual") / "churn.csv"
    world.to_csv(path, index=False)
    ran = command(path, *ALL, "--json", "-")
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


BARE = {"PATH": os.environ["PATH"]}


@pytest.mark.parametrize(
    "variables",
    [
        BARE | {"TZ": "Asia/Kathmandu"},
        BARE | {"TZ": "Nowhere/Land"},
        BARE | {"TZ": ":/etc/passwd", "LANG": "de_DE.UTF-8"},
        BARE | {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        BARE | {"HOME": "/nonexistent", "TMPDIR": "/nonexistent", "XDG_CONFIG_HOME": "/dev/null", "TERM": "dumb"},
    ],
    ids=["Kathmandu", "no time zone", "odd time zone", "ASCII", "no HOME"],
)
def test_results_do_not_depend_on_the_environment(variables: Mapping[str, str], csv: Path, usual: str) -> None:
    ran = command(csv, *ALL, "--json", "-", variables=variables)
    assert (ran.returncode, ran.stdout) == (0, usual), ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("number", [12, 20, 64])
def test_few_open_files_are_enough_or_a_message(number: int, csv: Path, usual: str) -> None:
    ran = command(csv, *ALL, "--json", "-", limit=(resource.RLIMIT_NOFILE, number))
    assert "Traceback" not in ran.stderr
    assert (ran.returncode == 0 and ran.stdout == usual) or message(ran)


def test_little_memory_is_enough_or_a_message(csv: Path, usual: str) -> None:
    """With much less, libraries end the process before it can write a message."""
    ran = command(csv, *ALL, "--json", "-", limit=(resource.RLIMIT_AS, 1_200 * 2**20))
    assert "Traceback" not in ran.stderr
    assert (ran.returncode == 0 and ran.stdout == usual) or message(ran)


def test_text_beyond_ascii_is_written_in_any_locale(world: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "größe.csv"
    world.rename(columns={"usage": "größe"}).to_csv(path, index=False)
    ran = command(path, *ALL, "--html", tmp_path / "ü.html", variables=BARE | {"LC_ALL": "C"})
    assert ran.returncode == 0, ran.stderr
    assert "größe" in (tmp_path / "ü.html").read_text("utf-8")


def test_a_link_is_read_and_other_kinds_of_paths_are_rejected(csv: Path, tmp_path: Path, usual: str) -> None:
    link, pipe, loop, dangling = (tmp_path / f"{name}.csv" for name in ("link", "pipe", "loop", "dangling"))
    link.symlink_to(csv)
    os.mkfifo(pipe)
    loop.symlink_to(loop)
    dangling.symlink_to(tmp_path / "nothing.csv")
    assert command(link, *ALL, "--name", "churn", "--json", "-").stdout == usual
    assert f"{pipe} is not a regular file" in message(command(pipe))
    assert f"{tmp_path} is a folder" in message(command(tmp_path))
    for path in (loop, dangling):
        assert f"there is no file {path}" in message(command(path))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everywhere")
def test_a_path_without_permission_is_named(csv: Path, tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o500)
    assert f"the folder {folder} cannot be written to" in message(command(csv, *ALL, "--json", folder / "out.json"))
    csv.chmod(0o200)
    assert "Permission denied" in message(command(csv))


@pytest.mark.parametrize("output", ["--json out", "--html out", "--results out.csv", "--results out.parquet"])
def test_a_full_disk_is_reported_and_leaves_nothing(output: str, csv: Path, tmp_path: Path) -> None:
    option, name = output.split()
    ran = command(csv, *ALL, option, tmp_path / name, limit=(resource.RLIMIT_FSIZE, 4_096))
    assert "cannot write" in message(ran)
    assert [path.name for path in tmp_path.iterdir()] == ["churn.csv"]


@pytest.mark.parametrize("options", [(), ("--json", "-")])
def test_standard_output_may_be_full_or_closed(options: tuple[str, ...], csv: Path) -> None:
    with Path("/dev/full").open("w") as full:
        ran = command(csv, *ALL, *options, stdout=full, stderr=subprocess.PIPE)
    assert "cannot write standard output: No space left on device" in message(ran)
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as closed:
        ran = command(csv, *ALL, *options, stdout=closed, stderr=subprocess.PIPE)
    assert (ran.returncode, "Traceback" in ran.stderr, "Error" in ran.stderr) == (141, False, False), ran.stderr


@pytest.fixture(scope="module")
def large(world: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that takes some seconds."""
    path = tmp_path_factory.mktemp("large") / "churn.parquet"
    copies = 150
    rows = pd.concat([world] * copies, ignore_index=True).assign(ref=np.arange(len(world) * copies))
    for place in range(20):
        rows[f"more{place}"] = rows["usage"].to_numpy() * place
    rows.to_parquet(path)
    return path


@contextmanager
def _running(file: Path, *options: object) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [str(DRIFTLINE), "backtest", str(file), *map(str, options)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=BARE | {"TMPDIR": str(file.parent)},
        start_new_session=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, -15)])
@pytest.mark.parametrize("seconds", [0.7, 1.7])
def test_a_signal_ends_the_command_at_once(
    number: int, status: int, seconds: float, large: Path, tmp_path: Path
) -> None:
    existing = {*large.parent.iterdir()}
    with _running(large, *ALL, "--json", tmp_path / "out.json") as process:
        time.sleep(seconds)
        is_running = process.poll() is None
        os.kill(process.pid, number)
        started = time.monotonic()
        _, text = process.communicate(timeout=20)
        assert is_running, text
        assert time.monotonic() - started < 10
    assert process.returncode == status, text
    assert "Traceback" not in text
    assert not [*tmp_path.iterdir()]
    assert {*large.parent.iterdir()} == existing
    assert not _session(process.pid)


def _session(leader: int) -> list[int]:
    """Return the processes of a session that are still running after 5 seconds."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        running = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(fields[3]) == leader and fields[0] != "Z":
                running.append(int(stat.parent.name))
        if not running:
            return []
        time.sleep(0.1)
    return running


def test_an_encrypted_parquet_file_is_reported(world: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "churn.parquet"

    class Keys(encryption.KmsClient):  # type: ignore[misc]
        def wrap_key(self, key_bytes: bytes, master_key_identifier: str) -> bytes:
            return key_bytes.hex().encode()

        def unwrap_key(self, wrapped_key: bytes, master_key_identifier: str) -> bytes:
            return bytes.fromhex(wrapped_key.decode())

    factory = encryption.CryptoFactory(lambda _: Keys())
    for plaintext_footer in (False, True):
        configuration = encryption.EncryptionConfiguration(
            footer_key="f", column_keys={"c": ["usage"]}, plaintext_footer=plaintext_footer
        )
        properties = factory.file_encryption_properties(encryption.KmsConnectionConfig(), configuration)
        table = pa.Table.from_pandas(world)
        with pq.ParquetWriter(path, table.schema, encryption_properties=properties) as writer:
            writer.write_table(table)
        text = message(command(path))
        assert "is encrypted: write it without encryption" in text


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_ten_thousand_columns_are_read(ending: str, world: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / f"wide.{ending}"
    few = world.iloc[::40]
    more = pd.DataFrame({f"c{place}": few["usage"] for place in range(10_000)})
    wide = pd.concat([few, more], axis=1)
    _ = wide.to_parquet(path) if ending == "parquet" else wide.to_csv(path, index=False)
    ran = command(path, *ALL, "--features", "usage,c1,c9999", "--json", "-")
    assert ran.returncode == 0, ran.stderr
    subjects = {result["subject"] for chunk in json.loads(ran.stdout)["chunks"] for result in chunk["results"]}
    assert {"usage", "c1", "c9999"} <= subjects
    assert "c2" not in subjects
