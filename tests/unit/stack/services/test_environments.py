"""Each service gets what it needs and no more."""

from pathlib import Path

import pytest

from stack.errors import StackError
from stack.services.environments import environment_for, settings_for
from stack.services.site import DEFAULT_PORTS, Site, read_ports, write_ports
from stack.services.table import names

EXTERNAL = {
    "HOME": "/home/somebody",
    "PATH": "/usr/bin",
    "AWS_SECRET_ACCESS_KEY": "not theirs",
    "MONITOR_POLL_SECONDS": "5",
    "SIMULATOR_RECORDS_TOPIC": "theirs",
    "DRIFTLINE_TOKENS": "tokens.json",
}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site.at(tmp_path / "var", EXTERNAL)


@pytest.mark.parametrize("role", names())
def test_each_role_has_its_own_user(site: Site, role: str) -> None:
    settings = settings_for(role, site)
    assert settings["DB_USER"] == f"driftline_{role}"
    assert settings["DB_PASSWORD"] == site.credentials.password(f"driftline_{role}")


@pytest.mark.parametrize("role", names())
def test_foreign_variables_stay_out(site: Site, role: str) -> None:
    environment = environment_for(role, site)
    assert "AWS_SECRET_ACCESS_KEY" not in environment
    assert environment["HOME"] == "/home/somebody"
    assert environment["TZ"] == "UTC"
    assert environment["NML_DISABLE_USAGE_LOGGING"] == "1"


def test_a_services_own_variables_are_passed_on_to_it_alone(site: Site) -> None:
    assert settings_for("monitor", site)["MONITOR_POLL_SECONDS"] == "5"
    assert settings_for("simulator", site)["SIMULATOR_RECORDS_TOPIC"] == "theirs"
    assert "SIMULATOR_RECORDS_TOPIC" not in environment_for("monitor", site)
    assert "MONITOR_POLL_SECONDS" not in environment_for("simulator", site)


def test_serving_gets_the_model_of_the_example_unless_the_environment_names_one(site: Site, tmp_path: Path) -> None:
    settings = settings_for("serving", site)
    assert (settings["SERVING_MODEL"], settings["SERVING_ROWS_FIELD"]) == ("churn", "subscriber")
    other = settings_for("serving", Site.at(tmp_path / "var", {"SERVING_MODEL": "flights"}))
    assert other["SERVING_MODEL"] == "flights"
    assert "SERVING_MODEL" not in settings_for("monitor", site)


def test_a_clouds_key_goes_to_the_roles_whose_objects_are_there(tmp_path: Path) -> None:
    values = EXTERNAL | {
        "DRIFTLINE_OBJECTS": "s3://bucket/prefix",
        "AWS_SECRET_ACCESS_KEY": "k",
        "AWS_ENDPOINT_URL": "u",
    }
    site = Site.at(tmp_path / "var", values)
    knowing = {role for role in names() if "AWS_SECRET_ACCESS_KEY" in settings_for(role, site)}
    assert knowing == {"jobs", "monitor", "serving"}
    assert settings_for("jobs", site)["DRIFTLINE_OBJECTS"] == "s3://bucket/prefix"
    assert settings_for("jobs", site)["AWS_ENDPOINT_URL"] == "u"
    assert "GOOGLE_APPLICATION_CREDENTIALS" not in settings_for("jobs", site)


def test_services_with_a_port_and_they_alone_know_the_file_of_tokens(site: Site) -> None:
    knowing = {role for role in names() if "DRIFTLINE_TOKENS" in settings_for(role, site)}
    assert knowing == {"simulator", "monitor", "serving"}


def test_all_services_but_the_owner_know_the_secrets_folder(tmp_path: Path) -> None:
    site = Site.at(tmp_path / "var", {**EXTERNAL, "DRIFTLINE_SECRETS": "/run/ours"})
    knowing = {role for role in names() if settings_for(role, site).get("DRIFTLINE_SECRETS") == "/run/ours"}
    assert knowing == {*names()} - {"owner"}


def test_the_monitor_does_not_know_kafka(site: Site) -> None:
    assert "KAFKA_BOOTSTRAP_SERVERS" not in environment_for("monitor", site)
    assert settings_for("jobs", site)["KAFKA_BOOTSTRAP_SERVERS"] == "127.0.0.1:9092"


def test_an_external_server_is_used_by_all(tmp_path: Path) -> None:
    values = {"DB_HOST": "db.example", "DB_PORT": "3306", "DB_USER": "u", "DB_PASSWORD": "p", "DB_NAME": "Other"}
    settings = settings_for("jobs", Site.at(tmp_path / "var", {**values, "KAFKA_BOOTSTRAP_SERVERS": "k:1"}))
    assert {name: settings[name] for name in values} == values
    assert settings["KAFKA_BOOTSTRAP_SERVERS"] == "k:1"
    assert not (tmp_path / "var").exists()


def test_only_clients_know_the_security_of_external_servers(tmp_path: Path) -> None:
    database = {"DB_HOST": "db.example", "DB_USER": "u", "DB_PASSWORD": "p", "DB_SSL_CA": "/etc/ca.pem"}
    sasl = {"KAFKA_SASL_USERNAME": "u", "KAFKA_SASL_PASSWORD": "p", "KAFKA_SASL_MECHANISM": "PLAIN"}
    kafka = {"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_SSL_CA": "/etc/ca.pem", **sasl}
    external = Site.at(tmp_path, {**database, "KAFKA_BOOTSTRAP_SERVERS": "k:1", **kafka})
    assert {name: settings_for("simulator", external)[name] for name in kafka} == kafka
    assert not settings_for("monitor", external).keys() & kafka.keys()
    assert [settings_for(role, external)["DB_SSL_CA"] for role in names()] == ["/etc/ca.pem"] * len(names())
    assert external.kafka_settings.security_protocol == "SASL_SSL"
    local = Site.at(tmp_path, kafka)
    assert not settings_for("simulator", local).keys() & kafka.keys()
    assert local.kafka_settings.security_protocol == "PLAINTEXT"


def test_inconsistent_settings_of_an_external_kafka_are_named(tmp_path: Path) -> None:
    external = Site.at(tmp_path, {"KAFKA_BOOTSTRAP_SERVERS": "k:1", "KAFKA_SECURITY_PROTOCOL": "SSL"})
    with pytest.raises(StackError, match="KAFKA_SECURITY_PROTOCOL=SSL requires KAFKA_SSL_CA"):
        _ = external.kafka_settings


def test_an_external_server_needs_a_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DB_USER", "DB_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(StackError, match=r"(?s)DB_HOST is set, so that server is used.*DB_USER: .*DB_PASSWORD: "):
        Site.at(tmp_path, {"DB_HOST": "db.example"})


def test_ports_are_saved(tmp_path: Path) -> None:
    assert read_ports(tmp_path) == DEFAULT_PORTS
    write_ports(tmp_path, {**DEFAULT_PORTS, "kafka": 9192})
    assert Site.at(tmp_path, {}).bootstrap_servers == "127.0.0.1:9192"


def test_a_port_that_is_no_number_is_refused(tmp_path: Path) -> None:
    assert Site.at(tmp_path, {"MONITOR_PORT": "6001"}).requested_ports == {"monitor": 6001}
    with pytest.raises(StackError, match="must be numbers"):
        _ = Site.at(tmp_path, {"MONITOR_PORT": "http"}).requested_ports


def test_passwords_are_not_printed(site: Site) -> None:
    assert "theirs" not in repr(site)


@pytest.mark.parametrize("first", names())
@pytest.mark.parametrize("second", names())
def test_a_second_env_in_one_shell_gives_the_second_role(first: str, second: str, site: Site) -> None:
    again = Site.at(site.var, EXTERNAL | settings_for(first, site))
    settings = settings_for(second, again)
    assert {**settings, **settings_for(second, site)} == settings
    assert settings["DB_USER"] == f"driftline_{second}"
    assert (again.database, again.kafka) == (None, None)


def test_another_account_on_the_local_port_is_an_external_server(site: Site) -> None:
    variables = {"DB_HOST": "127.0.0.1", "DB_PORT": "3307", "DB_USER": "root", "DB_PASSWORD": "p"}
    assert settings_for("jobs", Site.at(site.var, variables))["DB_USER"] == "root"
