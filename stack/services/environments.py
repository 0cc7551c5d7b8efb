"""The environment of each service and job: what it needs and no more, its own database user included."""

import sys
from pathlib import Path
from typing import Literal

from sqlalchemy import Engine

from driftline.settings import DatabaseSettings
from driftline.store.database import make_engine
from stack.services.site import Site

Role = Literal["owner", "simulator", "eda", "jobs", "monitor"]

SYSTEM = ("HOME", "USER", "LANG", "LC_ALL", "TMPDIR", "JAVA_HOME", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
ACCESS = ("DRIFTLINE_TOKENS", "DRIFTLINE_RATE_LIMIT", "DRIFTLINE_MAX_BODY", "DRIFTLINE_TLS_")
KAFKA_SECURITY = ("KAFKA_SECURITY_", "KAFKA_SSL_", "KAFKA_SASL_")
GOOGLE = ("GOOGLE_APPLICATION_CREDENTIALS", "STORAGE_EMULATOR_HOST")
CLOUDS = {"gs://": GOOGLE, "s3://": ("AWS_",)}
"""What a role needs to use the store that one of its variables names; no other role has these."""
SETTINGS_AS_FILES = "DRIFTLINE_SECRETS"
PASSED_ON: dict[Role, tuple[str, ...]] = {
    "owner": (),
    "simulator": (SETTINGS_AS_FILES, "SIMULATOR_", "RAW_DATA_", "KAFKA_PUBLISHER", *GOOGLE, *ACCESS),
    "eda": (SETTINGS_AS_FILES, "EDA_"),
    "jobs": (SETTINGS_AS_FILES, "SPARK_", "EDA_", "KAFKA_PUBLISHER", "DRIFTLINE_OBJECTS"),
    "monitor": (SETTINGS_AS_FILES, "MONITOR_", "DRIFTLINE_OBJECTS", *ACCESS),
}
"""Variables whose names begin so are passed on to the role, where the caller has set them."""


def settings_for(role: Role, site: Site) -> dict[str, str]:
    """The role's settings: the variables that Driftline itself reads."""
    return {**_passed_on(role, site), **_database(role, site), **_servers(role, site), "DRIFTLINE_VAR": str(site.var)}


def environment_for(role: Role, site: Site | None = None) -> dict[str, str]:
    """The whole environment for a process of the role, for instance `subprocess.run(…, env=environment_for("jobs"))`.

    The site is by default the one of this process's environment: `make up` has been run for it.
    """
    here = site or Site.from_environment()
    return {**base_environment(here), **settings_for(role, here)}


def engine_for(role: Role, site: Site) -> Engine:
    """Connect to the database as the role; nothing is opened yet."""
    variables = settings_for(role, site)
    fields = {name.removeprefix("DB_").lower(): value for name, value in variables.items() if name.startswith("DB_")}
    return make_engine(DatabaseSettings.model_validate(fields))


def base_environment(site: Site) -> dict[str, str]:
    """What any process needs: paths, the locale, UTC, and no usage reports of any library."""
    python = Path(sys.executable)
    return {
        **{name: site.system[name] for name in SYSTEM if name in site.system},
        "PATH": f"{python.parent}:{site.system.get('PATH', '/usr/local/bin:/usr/bin:/bin')}",
        "TZ": "UTC",
        "PYTHONUNBUFFERED": "1",
        "NML_DISABLE_USAGE_LOGGING": "1",
    }


def _passed_on(role: Role, site: Site) -> dict[str, str]:
    own = _beginning_with(PASSED_ON[role], site)
    used = (scheme for scheme in CLOUDS if any(value.startswith(scheme) for value in own.values()))
    return own | _beginning_with(tuple(name for scheme in used for name in CLOUDS[scheme]), site)


def _beginning_with(beginnings: tuple[str, ...], site: Site) -> dict[str, str]:
    return {name: value for name, value in site.system.items() if beginnings and name.startswith(beginnings)}


def _database(role: Role, site: Site) -> dict[str, str]:
    if site.database:
        user, password = site.database.user, site.database.password.get_secret_value()
        host, port = site.database.host, site.database.port
    else:
        user, host, port = f"driftline_{role}", "127.0.0.1", site.ports["mariadb"]
        password = site.credentials.password(user)
    return {
        "DB_HOST": host,
        "DB_PORT": str(port),
        "DB_USER": user,
        "DB_PASSWORD": password,
        "DB_NAME": site.database_name,
        **_database_tls(site),
    }


def _database_tls(site: Site) -> dict[str, str]:
    """The files of TLS to a given server; our own is on loopback and has none."""
    given = site.database
    files = {"DB_SSL_CA": given.ssl_ca, "DB_SSL_CERT": given.ssl_cert, "DB_SSL_KEY": given.ssl_key} if given else {}
    return {name: str(file.absolute()) for name, file in files.items() if file}


def _kafka_security(site: Site) -> dict[str, str]:
    """How a given Kafka is spoken to; our own is on loopback and in plain text."""
    return {name: value for name, value in site.system.items() if site.kafka and name.startswith(KAFKA_SECURITY)}


def _servers(role: Role, site: Site) -> dict[str, str]:
    kafka = {"KAFKA_BOOTSTRAP_SERVERS": site.bootstrap_servers}
    by_role: dict[Role, dict[str, str]] = {
        "owner": {},
        "simulator": {**kafka, **_kafka_security(site), "SIMULATOR_PORT": str(site.ports["simulator"])},
        "eda": {},
        "jobs": {**kafka, "PYSPARK_PYTHON": sys.executable, "MONITOR_PORT": str(site.ports["monitor"])},
        "monitor": {"MONITOR_PORT": str(site.ports["monitor"])},
    }
    return by_role[role]
