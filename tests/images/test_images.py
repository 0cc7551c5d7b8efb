"""The images, built and run for real: who they run as, what is in them and what is not, and that they do their work."""

import json
import re
import time
from dataclasses import replace

import pytest
import requests

from devtools.checks import leaks
from devtools.git_files import tracked_files
from devtools.packaging.images import IMAGES, Image
from stack import paths
from stack.servers import ports
from stack.services.table import SERVICES
from tests.images.conftest import CANARY, ImageServers, running, tell
from tests.known_values import files_with
from tests.unit.deploy.test_dockerfile import HEAVY

pytestmark = pytest.mark.timeout(2400)  # the first build of all images takes minutes
SELF = """
import json, os, pathlib
def tried(path):
    try:
        pathlib.Path(path).write_text("x")
    except OSError as error:
        return error.strerror
    return "written"
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\\t" in line)
print(json.dumps({
    "user": os.getuid(), "group": os.getgid(), "rights": int(status["CapEff"], 16), "nnp": status["NoNewPrivs"],
    "app": tried("/app/x"), "library": tried("/opt/driftline/x"), "tmp": tried("/tmp/x"),
    "variable": os.access("/var/lib/driftline", os.W_OK),
}))
"""
SERVICE_OF = {"simulator": "history", "jobs": "prepare", "deploy": "plan"}
"""A service with a volume that runs an image; by default the one of the image's name."""
CODE = {service.image.name: service.image.code for service in SERVICES}
BUILD_TOOLS = ("opt/driftline/bin/pip", "usr/bin/gcc", "usr/bin/mvn", "usr/bin/curl", "usr/bin/git")


@pytest.fixture(params=IMAGES)
def image(request: pytest.FixtureRequest, images: dict[str, Image]) -> Image:
    return images[request.param]


def test_its_configuration_has_a_user_id_and_labels(image: Image) -> None:
    assert image.user == (10001, 10001)
    labels = image.configuration["Labels"]
    assert labels["org.opencontainers.image.title"] == f"driftline-{image.name}"
    assert {"description", "licenses", "version", "revision"} <= {name.rpartition(".")[2] for name in labels}
    assert image.configuration["Healthcheck"]["Test"][0] in ("CMD", "NONE")


def test_it_runs_without_rights_on_a_read_only_root(image: Image, world: ImageServers) -> None:
    completed = world.contained(SERVICE_OF.get(image.name, image.name)).python(SELF)
    assert completed.returncode == 0, completed.stderr
    assert json.loads(completed.stdout) == {
        "user": 10001,
        "group": 10001,
        "rights": 0,
        "nnp": "1",
        "app": "Read-only file system",
        "library": "Read-only file system",
        "tmp": "written",
        "variable": True,
    }


def test_it_contains_only_the_libraries_of_its_service(image: Image) -> None:
    packages = image.root.glob("opt/driftline/lib/python3.11/site-packages/*.dist-info")
    names = {re.sub(r"[-_.]+", "-", folder.name.partition("-")[0].lower()) for folder in packages}
    assert {"sqlalchemy", "pandas", "pydantic"} <= names
    assert {library for library in HEAVY if library in names} == {
        library for library, having in HEAVY.items() if image.name in having
    }
    assert (image.root / "usr" / "bin" / "java").exists() == (image.name == "jobs")
    assert len([*image.root.glob("opt/jars/*.jar")]) == (5 if image.name == "jobs" else 0)


def test_it_contains_no_build_tools(image: Image) -> None:
    assert [tool for tool in BUILD_TOOLS if (image.root / tool).exists()] == []
    assert not any((image.root / "uv").glob("*"))
    assert not any((image.root / "root").rglob("*.whl"))


def test_it_contains_only_tracked_files_of_the_checkout(image: Image) -> None:
    app = image.root / "app"
    contained = {file.relative_to(app) for file in app.rglob("*") if file.is_file() and file.suffix != ".pyc"}
    tracked = {file.relative_to(paths.ROOT) for file in tracked_files()}
    assert contained
    assert contained - tracked == set()
    folders = {file.parts[0] for file in contained}
    assert folders == {"src", *(folder.partition("/")[0] for folder in CODE[image.name])}
    assert {file.parts[1] for file in contained if file.parts[0] == "src"} == {"driftline"} | {
        folder.removeprefix("src/") for folder in CODE[image.name] if folder.startswith("src/")
    }


def test_it_contains_no_secret(image: Image, world: ImageServers) -> None:
    secrets = [CANARY, world.database.password]
    secrets += [file.read_text() for file in world.secrets.iterdir() if file.suffix in (".password", ".token")]
    places = [image.root / name for name in ("app", "etc", "home", "opt/jars", "requirements", "root", "run", "srv")]
    files = leaks.files_below(*places, image.root / "var", image.root / "tmp")
    assert files_with(secrets, files) == []
    described = json.dumps(dict(image.configuration))
    assert [value for value in secrets if value in described] == []
    assert [name for name in image.environment if re.search("PASSWORD|TOKEN|SECRET|KEY", name)] == []


def test_the_steps_of_the_compose_file_run(world: ImageServers) -> None:
    for name in ("provision", "plan", "history", "days", "eda", "prepare"):
        began = time.monotonic()
        completed = world.step(name)
        assert completed.returncode == 0, f"{name}: {completed.stdout[-3000:]}{completed.stderr[-3000:]}"
        tell(f"{name}: {time.monotonic() - began:.1f} s")
    assert (world.volume / "eda" / "report.html").stat().st_size > 10_000
    assert [*(world.volume / "objects" / "prepared").rglob("*.parquet")]


@pytest.mark.parametrize(("name", "page"), [("simulator", "/stream"), ("monitor", "/api/v1/models")])
def test_a_service_starts_and_requires_a_token(world: ImageServers, name: str, page: str) -> None:
    assert world.step("provision").returncode == 0
    port = ports.any_free(frozenset())
    listener = {f"{name.upper()}_HOST": "127.0.0.1", f"{name.upper()}_PORT": str(port)}
    container = world.contained(name, **listener)
    began = time.monotonic()
    with running(container, port):
        tell(f"{name}: answers {time.monotonic() - began:.1f} s after its start")
        address = f"http://127.0.0.1:{port}{page}"
        token = (world.secrets / "demo.token").read_text()
        assert requests.get(address, timeout=20).status_code == 401
        assert requests.get(address, headers={"Authorization": f"Bearer {token}"}, timeout=20).status_code == 200
        assert _health(world, name, port) == 0
    assert _health(world, name, port) == 1


@pytest.mark.parametrize("name", ["simulator", "monitor"])
def test_without_tokens_a_service_refuses_to_start(world: ImageServers, name: str) -> None:
    completed = replace(world.contained(name, DRIFTLINE_TOKENS=""), network=False).run()
    assert completed.returncode == 2, completed.stderr
    assert "DRIFTLINE_TOKENS" in completed.stdout + completed.stderr


def _health(world: ImageServers, name: str, port: int) -> int:
    """Run the image's own health check, at the port where the service is here."""
    check, *command, usual = world.images[name].configuration["Healthcheck"]["Test"]
    assert (check, usual) == ("CMD", {"simulator": "5000", "monitor": "5001"}[name])
    return world.contained(name).run(*command, str(port), entrypoint=()).returncode
