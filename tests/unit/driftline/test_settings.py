"""Settings come from the environment or from files; a secret has no default and is never shown."""

from pathlib import Path

import pytest

from driftline.errors import InvalidInput
from driftline.settings import DatabaseSettings, KafkaLibrary, KafkaSettings, LocalSettings, SecretsFolder


def test_the_database_needs_a_user_and_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DB_USER", "DB_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(InvalidInput, match=r"(?s)DB_USER: .*DB_PASSWORD: "):
        DatabaseSettings()


def test_faults_name_variables_and_not_their_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DB_USER", raising=False)
    monkeypatch.setenv("DB_PASSWORD", "not to be seen")
    monkeypatch.setenv("DB_PORT", "a lot")
    with pytest.raises(InvalidInput) as raised:
        DatabaseSettings()
    assert [detail.split(":")[0] for detail in raised.value.details] == ["DB_PORT", "DB_USER"]
    assert "not to be seen" not in str(raised.value)


def test_a_fault_says_what_to_write_and_all_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"DB_PORT": "a lot", "DB_NAME": "Raw`Data", "DB_PASSWORD": "not to be seen"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("DB_USER", raising=False)
    with pytest.raises(InvalidInput) as raised:
        DatabaseSettings()
    assert raised.value.details == (
        "DB_PORT: 'a lot' is not a whole number; write one such as 5",
        "DB_USER: missing; add it",
        "DB_NAME: 'Raw`Data' does not match the pattern ^[A-Za-z][A-Za-z0-9_]{0,57}$; write text that does",
    )


def test_a_secret_of_a_wrong_type_is_not_shown() -> None:
    with pytest.raises(InvalidInput) as raised:
        DatabaseSettings(user="u", password=271_828, ssl_cert=Path("c"))
    assert raised.value.details == ("DB_PASSWORD: the value is not text; put it in quotes",)


def test_all_contradictions_are_listed() -> None:
    with pytest.raises(InvalidInput) as raised:
        DatabaseSettings(user="u", password="p", ssl_cert=Path("c"))
    assert [detail.split()[0] for detail in raised.value.details] == ["Set", "DB_SSL_CERT"]


def test_a_password_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_USER", "someone")
    monkeypatch.setenv("DB_PASSWORD", "s3cret")
    settings = DatabaseSettings()
    assert "s3cret" not in repr(settings)
    assert settings.name == "RawData"


def test_a_schema_name_that_would_need_quoting_is_refused() -> None:
    with pytest.raises(InvalidInput, match="DB_NAME: "):
        DatabaseSettings(user="u", password="p", name="Raw`Data")


def test_the_publisher_is_one_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    assert KafkaSettings().publisher is KafkaLibrary.CONFLUENT
    monkeypatch.setenv("KAFKA_PUBLISHER", "kafka-python")
    assert KafkaSettings().publisher is KafkaLibrary.KAFKA_PYTHON


def test_objects_live_under_var(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIFTLINE_VAR", "/elsewhere")
    assert LocalSettings().objects_address == "/elsewhere/objects"
    monkeypatch.setenv("DRIFTLINE_OBJECTS", "gs://bucket/prefix")
    assert LocalSettings().objects_address == "gs://bucket/prefix"


def test_a_variable_without_a_value_takes_the_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "db_user").write_text("a stray file")
    monkeypatch.chdir(tmp_path)
    for name in ("DB_USER", "DRIFTLINE_SECRETS", "DRIFTLINE_VAR"):
        monkeypatch.setenv(name, "")
    assert LocalSettings().var == Path("var")
    with pytest.raises(InvalidInput, match="DB_USER: "):
        DatabaseSettings(password="p")


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return a folder with two settings as files."""
    for name in ("DB_USER", "DB_PASSWORD", "DB_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DRIFTLINE_SECRETS", str(tmp_path))
    (tmp_path / "db_password").write_text("from a file\n")
    (tmp_path / "DB_USER").write_text("user in a file")
    return tmp_path


def test_a_settings_file_may_be_in_upper_or_lower_case(folder: Path) -> None:
    settings = DatabaseSettings()
    assert settings.password.get_secret_value() == "from a file"
    assert settings.user == "user in a file"
    assert "from a file" not in repr(settings)


def test_the_environment_wins_over_a_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_PASSWORD", "from the environment")
    assert DatabaseSettings().password.get_secret_value() == "from the environment"


def test_arguments_win_over_environment_and_files(folder: Path) -> None:
    values = {"user": "argument", "password": "p"}
    assert DatabaseSettings.model_validate(values).user == "argument"


def test_a_value_from_a_file_is_validated(folder: Path) -> None:
    (folder / "db_port").write_text("a lot")
    with pytest.raises(InvalidInput, match="DB_PORT: "):
        DatabaseSettings()


def test_a_missing_configured_folder_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIFTLINE_SECRETS", str(folder / "elsewhere"))
    with pytest.raises(InvalidInput, match=r"DRIFTLINE_SECRETS names .*/elsewhere"):
        KafkaSettings()


def test_a_missing_default_folder_is_no_error(tmp_path: Path) -> None:
    assert SecretsFolder.model_construct(_fields_set=set(), secrets=tmp_path / "none").existing() is None


def test_a_file_that_is_not_text_is_one_clear_message(folder: Path) -> None:
    (folder / "db_password").write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidInput, match="must be text") as raised:
        DatabaseSettings()
    assert "password" in str(raised.value)
