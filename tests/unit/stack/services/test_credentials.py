"""Secrets are made once and are their owner's alone."""

from pathlib import Path

from stack.services.credentials import Credentials


def test_a_password_is_made_once(tmp_path: Path) -> None:
    first = Credentials(tmp_path / "secrets").password("jobs")
    assert Credentials(tmp_path / "secrets").password("jobs") == first
    assert len(first) == 43


def test_every_account_has_its_own(tmp_path: Path) -> None:
    credentials = Credentials(tmp_path / "secrets")
    assert credentials.password("jobs") != credentials.password("monitor")


def test_only_the_owner_reads_them(tmp_path: Path) -> None:
    Credentials(tmp_path / "secrets").password("jobs")
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    assert [path.name for path in (tmp_path / "secrets").iterdir()] == ["jobs.password"]
    assert (tmp_path / "secrets" / "jobs.password").stat().st_mode & 0o777 == 0o600


def test_what_a_kill_left_half_written_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "jobs.4711.partial").write_text("half")
    assert len(Credentials(tmp_path).password("jobs")) == 43
