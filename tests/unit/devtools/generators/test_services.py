"""Everything about a service follows from its row: files by `make services`, the rest at run time."""

import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
import yaml

from devtools.generators import services as generator
from devtools.generators.services import RegionMissing, generated_files
from stack import paths
from stack.services.accounts import Administration
from stack.services.environments import settings_of
from stack.services.grants import Grant, Privilege
from stack.services.local import local_process
from stack.services.service import Compose, ContainerImage, Service, WorkerContainer
from stack.services.site import Site
from stack.services.table import SERVICES, service_named

CATALOG = Service(
    name="catalog",
    title="Catalog",
    description="Answers requests for predictions.",
    folder="catalog",
    command=("-m", "catalog"),
    port=5003,
    settings=("CATALOG_",),
    uses_kafka=True,
    grants=(Grant((Privilege.SELECT,), ("models",), revoked=(Privilege.DELETE,)),),
    image=ContainerImage("catalog", code=("catalog",), environment={"CATALOG_WORKERS": "2"}),
    compose=Compose("Predictions over HTTP.", memory="2G"),
)
WITH_CATALOG = (*SERVICES, CATALOG)


class Loader(yaml.SafeLoader):
    """Reads compose's own tags as plain values."""


Loader.add_constructor("!reset", lambda *_: None)
Loader.add_constructor(
    "!override", lambda loader, node: list(loader.construct_sequence(cast("yaml.SequenceNode", node)))
)


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    """The generated files of the table with one row more, by their paths in the checkout."""
    generated = generated_files(WITH_CATALOG)
    return {file.relative_to(paths.ROOT).as_posix(): text for file, text in generated.items()}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    local = Site.at(tmp_path / "var", {"CATALOG_WORKERS": "4", "MONITOR_POLL_SECONDS": "5"})
    return replace(local, ports={**local.ports, "catalog": 6003})


@pytest.mark.parametrize("file", generated_files(), ids=lambda file: file.relative_to(paths.ROOT).as_posix())
def test_the_files_are_those_of_the_table(file: Path) -> None:
    assert file.read_text() == generated_files()[file], "run `make services`"


def test_a_new_service_has_its_environment(site: Site) -> None:
    settings = settings_of(CATALOG, site)
    assert settings["CATALOG_WORKERS"] == "4"
    assert settings["CATALOG_PORT"] == "6003"
    assert settings["DB_USER"] == "driftline_catalog"
    assert settings["DB_PASSWORD"] == site.credentials.password("driftline_catalog")
    assert settings["KAFKA_BOOTSTRAP_SERVERS"] == "127.0.0.1:9092"
    assert "MONITOR_POLL_SECONDS" not in settings


def test_a_new_service_is_a_local_process(site: Site) -> None:
    process = local_process(CATALOG)
    assert process.command(site)[1:] == ("-m", "catalog")
    assert process.address(site) == "127.0.0.1:6003"
    assert process.environment(site)["CATALOG_PORT"] == "6003"


def test_a_new_service_has_its_user_and_its_rights() -> None:
    executed: list[tuple[str, dict[str, str]]] = []

    class RecordingAdministration(Administration):
        def _execute(self, bound_statements: Iterable[tuple[str, dict[str, str]]]) -> None:
            executed.extend(bound_statements)

    administration = RecordingAdministration(lambda: None, "RawData", password=str.upper, services=(CATALOG,))  # type: ignore[arg-type, return-value]
    administration.create_accounts()
    administration.grant()
    assert {values["account"] for _, values in executed} == {"driftline_catalog"}
    assert executed[0][1]["password"] == CATALOG.account.upper()
    assert [statement for statement, _ in executed] == [
        "CREATE USER IF NOT EXISTS %(account)s@%(clients)s IDENTIFIED BY %(password)s",
        "ALTER USER %(account)s@%(clients)s IDENTIFIED BY %(password)s",
        "GRANT SELECT ON `RawData`.`models` TO %(account)s@%(clients)s",
        "REVOKE DELETE ON `RawData`.`models` FROM %(account)s@%(clients)s",
    ]


def test_a_new_service_has_a_compose_file(files: dict[str, str]) -> None:
    container = yaml.load(files["catalog/compose.yaml"], Loader=Loader)["services"]["catalog"]  # noqa: S506  # it is safe
    assert container["build"]["args"] == {"SERVICE": "catalog"}
    assert container["environment"] == {
        "DB_USER": "driftline_catalog",
        "DRIFTLINE_TOKENS": "/run/tokens/tokens.json",
    }
    assert container["secrets"] == [{"source": "catalog_password", "target": "db_password"}]
    assert container["ports"] == ["127.0.0.1:5003:5003"]
    assert container["deploy"]["resources"]["limits"]["memory"] == "2G"
    shared = yaml.safe_load(files["deploy/shared.yaml"])
    assert shared["secrets"]["catalog_password"] == {"file": "secrets/driftline_catalog.password"}


def test_a_worker_is_a_container_of_its_service_that_a_profile_starts() -> None:
    worker = WorkerContainer(("-m", "catalog.batch"), {"BATCH": "nine"}, ("./batch.yaml:/run/batch.yaml:ro",))
    service = replace(CATALOG, compose=Compose("Predictions.", workers={"batch": worker}))
    containers = yaml.load(generator.compose_file(service), Loader=Loader)["services"]  # noqa: S506  # it is safe
    assert {*containers} == {"catalog", "batch"}
    batch, catalog = containers["batch"], containers["catalog"]
    assert batch["profiles"] == ["batch"]
    assert batch["entrypoint"] == ["python", "-m", "catalog.batch"]
    assert batch["environment"] == {"DB_USER": "driftline_catalog", "BATCH": "nine"}
    assert batch["volumes"] == ["./batch.yaml:/run/batch.yaml:ro", "driftline-var:/var/lib/driftline"]
    assert "ports" not in batch
    same = ("image", "build", "secrets", "restart", "deploy")
    assert [batch[key] for key in same] == [catalog[key] for key in same]


def test_a_new_service_is_part_of_the_whole(files: dict[str, str]) -> None:
    services = yaml.load(files["compose.yaml"], Loader=Loader)["services"]  # noqa: S506  # it is safe
    assert services["catalog"]["extends"] == {"file": "catalog/compose.yaml", "service": "catalog"}
    assert {"source": "catalog_password", "target": "driftline_catalog.password"} in services["provision"]["secrets"]


def test_a_new_service_has_an_image(files: dict[str, str]) -> None:
    stage = files["deploy/Dockerfile"].split("FROM application AS catalog\n")[1].partition("\n# <<<")[0]
    assert "COPY catalog /app/catalog\nENV CATALOG_HOST=0.0.0.0 CATALOG_WORKERS=2\n" in stage
    assert "EXPOSE 5003\n" in stage
    assert '"driftline.http.health", "5003"]\n' in stage
    assert stage.endswith('ENTRYPOINT ["python", "-m", "catalog"]')
    assert "\n!catalog\n" in files[".dockerignore"]
    assert " catalog\n# <<< services" in files["Makefile"]
    matrix = yaml.safe_load(files[".github/workflows/images.yml"])["jobs"]["build"]["strategy"]["matrix"]
    assert "catalog" in matrix["image"]


def test_a_service_without_a_port_is_not_started(files: dict[str, str]) -> None:
    job = replace(CATALOG, port=None)
    assert "ports:" not in generator.compose_file(job)
    assert "HEALTHCHECK NONE" in [*generator.stage(job)]
    assert generator.extended_services([job]) == []


def test_a_file_without_its_region_is_named(tmp_path: Path) -> None:
    for file in ("compose.yaml", "Makefile", ".dockerignore", "deploy/Dockerfile", ".github/workflows/images.yml"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(paths.ROOT / file, tmp_path / file)
    (tmp_path / "Makefile").write_text("IMAGES :=\n")
    with pytest.raises(RegionMissing, match="Makefile lacks the lines `# >>> services`"):
        generated_files(SERVICES, tmp_path)


def test_an_unknown_service_is_named_with_the_others() -> None:
    with pytest.raises(Exception, match="no service 'catalog'; choose one of owner, simulator"):
        service_named("catalog")


def test_every_image_has_its_extra_and_its_lock() -> None:
    project = (paths.ROOT / "pyproject.toml").read_text()
    for service in SERVICES:
        assert f"\n{service.image.name} = [" in project
        assert (paths.REQUIREMENTS / f"{service.image.name}.lock").exists()
