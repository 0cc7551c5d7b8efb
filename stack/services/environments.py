"""The environment of each service: only what its row of the table names, with its own database user."""

import sys
from pathlib import Path

from sqlalchemy import Engine

from driftline.settings import DatabaseSettings
from driftline.store.database import make_engine
from stack.services.service import Service
from stack.services.site import Site
from stack.services.table import GOOGLE, service_named

SYSTEM = ("HOME", "USER", "LANG", "LC_ALL", "TMPDIR", "JAVA_HOME", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
KAFKA_SECURITY = ("KAFKA_SECURITY_", "KAFKA_SSL_", "KAFKA_SASL_")
CLOUDS = {"gs://": GOOGLE, "s3://": ("AWS_",)}
"""The variables of each object store's client; a service receives them if one of its settings names that store."""


def settings_for(name: str, site: Site) -> dict[str, str]:
    """Return the settings of the service of a name; raises `StackError` if there is none."""
    return settings_of(service_named(name), site)


def settings_of(service: Service, site: Site) -> dict[str, str]:
    """Return a service's settings: the variables that Driftline itself reads."""
    return {
        **service.variables,
        **_passed_on(service, site),
        **_database(service, site),
        **_kafka(service, site),
        **_ports(service, site),
        "DRIFTLINE_VAR": str(site.var),
    }


def environment_for(name: str, site: Site | None = None) -> dict[str, str]:
    """Return the whole environment for a process of a service, as in `subprocess.run(…, env=environment_for("jobs"))`.

    The site is by default that of this process's environment, for which `make up` has run.
    """
    chosen_site = site or Site.from_environment()
    return {**base_environment(chosen_site), **settings_for(name, chosen_site)}


def engine_for(name: str, site: Site) -> Engine:
    """Return an engine that connects as the service's database user; it opens no connection yet."""
    variables = settings_for(name, site)
    fields = {name.removeprefix("DB_").lower(): value for name, value in variables.items() if name.startswith("DB_")}
    return make_engine(DatabaseSettings.model_validate(fields))


def base_environment(site: Site) -> dict[str, str]:
    """Return what every process needs: paths, the locale, UTC, and no usage reports of any library."""
    python = Path(sys.executable)
    return {
        **{name: site.system[name] for name in SYSTEM if name in site.system},
        "PATH": f"{python.parent}:{site.system.get('PATH', '/usr/local/bin:/usr/bin:/bin')}",
        "TZ": "UTC",
        "PYTHONUNBUFFERED": "1",
        "NML_DISABLE_USAGE_LOGGING": "1",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
    }


def _passed_on(service: Service, site: Site) -> dict[str, str]:
    settings = _beginning_with(service.settings, site)
    schemes = (scheme for scheme in CLOUDS if any(value.startswith(scheme) for value in settings.values()))
    return settings | _beginning_with(tuple(name for scheme in schemes for name in CLOUDS[scheme]), site)


def _beginning_with(prefixes: tuple[str, ...], site: Site) -> dict[str, str]:
    return {name: value for name, value in site.system.items() if prefixes and name.startswith(prefixes)}


def _database(service: Service, site: Site) -> dict[str, str]:
    """Return the address and the user: those of the external server, or the service's own on the local one."""
    if site.database:
        user, password = site.database.user, site.database.password.get_secret_value()
        host, port = site.database.host, site.database.port
    else:
        user, host, port = service.account, "127.0.0.1", site.ports["mariadb"]
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
    """Return the TLS files for an external server; the local one listens on loopback without TLS."""
    server = site.database
    values = (server.ssl_ca, server.ssl_cert, server.ssl_key) if server else (None, None, None)
    files = dict(zip(("DB_SSL_CA", "DB_SSL_CERT", "DB_SSL_KEY"), values, strict=True))
    return {name: str(file.absolute()) for name, file in files.items() if file}


def _kafka(service: Service, site: Site) -> dict[str, str]:
    """Return the address of Kafka and, for an external Kafka, the security settings."""
    if not service.uses_kafka:
        return {}
    address = {"KAFKA_BOOTSTRAP_SERVERS": site.bootstrap_servers}
    return address | (_beginning_with(KAFKA_SECURITY, site) if site.kafka else {})


def _ports(service: Service, site: Site) -> dict[str, str]:
    """Return the service's own port and those of the services whose ports it reads."""
    listening = [service.name] if service.port is not None else []
    return {f"{name.upper()}_PORT": str(site.ports[name]) for name in (*listening, *service.reads_ports_of)}
