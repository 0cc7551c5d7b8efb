"""Settings come from the environment; a secret has no default and is never shown."""

import pytest
from pydantic import ValidationError

from driftline.settings import DatabaseSettings, KafkaSettings, LocalSettings, Publisher


def test_the_database_needs_a_user_and_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DB_USER", "DB_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ValidationError, match=r"(?s)user.*password"):
        DatabaseSettings()


def test_a_password_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_USER", "someone")
    monkeypatch.setenv("DB_PASSWORD", "s3cret")
    settings = DatabaseSettings()
    assert "s3cret" not in repr(settings)
    assert settings.truth_name == "RawData_truth"


def test_a_schema_name_that_would_need_quoting_is_refused() -> None:
    with pytest.raises(ValidationError, match="name"):
        DatabaseSettings.model_validate({"user": "u", "password": "p", "name": "Raw`Data"})


def test_the_publisher_is_one_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    assert KafkaSettings().publisher is Publisher.CONFLUENT
    monkeypatch.setenv("KAFKA_PUBLISHER", "kafka-python")
    assert KafkaSettings().publisher is Publisher.KAFKA_PYTHON


def test_objects_live_under_var(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIFTLINE_VAR", "/elsewhere")
    assert str(LocalSettings().objects) == "/elsewhere/objects"
