"""`python -m devtools.generators.services`, what `make services` calls: writes what follows from the table of services.

A folder's `compose.yaml` and `deploy/shared.yaml` are written as a whole; in other files, the lines between
`>>> NAME` and `<<< NAME`. A test compares every file with what this module would write.
"""

import json
import re
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from devtools.packaging.release import version
from stack import paths
from stack.console import print_line
from stack.errors import StackError
from stack.services.service import Compose, Service, WorkerContainer
from stack.services.table import SERVICES, with_port

NOTICE = "Written by `make services` from stack/services/table.py; change it there."
STATE = "driftline-var:/var/lib/driftline"
TOKENS = "/run/tokens"
RESTARTED = ("restart: unless-stopped", "stop_grace_period: 40s")
WIDTH = 120


class RegionMissing(StackError):
    """A file lacks the lines `>>> NAME` and `<<< NAME` between which the table of services is written; restore them."""


def generated_files(services: Sequence[Service] = SERVICES, root: Path = paths.ROOT) -> dict[Path, str]:
    """Return every file that follows from the table, with its whole text."""
    return {
        **{root / service.folder / "compose.yaml": compose_file(service) for service in services if service.compose},
        root / "deploy" / "shared.yaml": shared_file(services),
        **{file: _filled(file, regions) for file, regions in _regions(services, root).items()},
    }


def _regions(services: Sequence[Service], root: Path) -> dict[Path, dict[str, list[str]]]:
    return {
        root / "compose.yaml": {"accounts": account_secrets(services), "services": extended_services(services)},
        root / "deploy" / "Dockerfile": {"services": [line for service in services for line in stage(service)][:-1]},
        root / ".dockerignore": {"services": [f"!{folder}" for folder in code_folders(services)]},
        root / "Makefile": {"services": [f"IMAGES := {' '.join(images(services))}"]},
        root / ".github" / "workflows" / "images.yml": {
            "services": [f"matrix: &images {{image: [{', '.join(images(services))}]}}"]
        },
    }


def images(services: Sequence[Service]) -> list[str]:
    """Return the names of the images."""
    return [service.image.name for service in services]


def code_folders(services: Sequence[Service]) -> list[str]:
    """Return the folders that go into any image, the library's own first."""
    return [*dict.fromkeys(["src/driftline", *(folder for service in services for folder in service.image.code)])]


def stage(service: Service) -> Iterator[str]:
    """Yield the lines of a service's stage of the Dockerfile."""
    image = service.image
    yield f"FROM {image.stage} AS {image.name}"
    yield f"LABEL org.opencontainers.image.description={json.dumps(service.description)}"
    yield from (f"COPY {folder} /app/{folder}" for folder in image.code)
    listening = {f"{service.name.upper()}_HOST": "0.0.0.0"} if service.port is not None else {}  # noqa: S104  # inside
    variables = [f"{name}={value}" for name, value in (listening | {**image.environment}).items()]
    if variables:
        yield f"ENV {' '.join(variables)}"
    if image.volumes:
        yield f"VOLUME {json.dumps([*image.volumes])}"
    yield f"WORKDIR {image.working_directory}"
    if service.port is None:
        yield "HEALTHCHECK NONE"
    else:
        yield f"EXPOSE {service.port}"
        yield "HEALTHCHECK --interval=10s --timeout=6s --start-period=60s --retries=3 \\"
        yield f"    CMD {json.dumps(['python', '-m', 'driftline.http.health', str(service.port)])}"
    yield f"ENTRYPOINT {json.dumps(['python', *service.command])}"
    if image.arguments:
        yield f"CMD {json.dumps([*image.arguments])}"
    yield ""


def account_secrets(services: Sequence[Service]) -> list[str]:
    """Return the secrets of the container that creates the users: root's password and every user's."""
    passwords = [f"- {{source: {service.name}_password, target: {service.account}.password}}" for service in services]
    return ["- {source: mysql_root, target: db_password}", *passwords]


def extended_services(services: Sequence[Service]) -> list[str]:
    """Return the root's services that listen on a port: each its folder's own, after the schemas and users exist."""
    blocks = (
        (
            f"{service.name}:",
            f"  extends: {{file: {service.folder}/compose.yaml, service: {service.name}}}",
            "  depends_on:",
            "    provision: {condition: service_completed_successfully}",
            "",
        )
        for service, _ in with_port(services)
    )
    return [line for block in blocks for line in block][:-1]


def shared_file(services: Sequence[Service]) -> str:
    """Return what the compose files of the root and of each folder have in common."""
    accounts = [line for service in services for line in _secret(f"{service.name}_password", service.account)]
    lines = [
        "# Secrets and volumes of all compose files. `make secrets` creates the files.",
        f"# {NOTICE}",
        "secrets:",
        *_secret("mysql_root", "root"),
        *accounts,
        "  demo_token:",
        "    file: secrets/demo.token",
        "",
        "volumes:",
        "  driftline-var: # Parquet files, models, references, reports, the demo's plan",
        "    name: driftline-var",
    ]
    return "\n".join(lines) + "\n"


def _secret(name: str, account: str) -> tuple[str, str]:
    return f"  {name}:", f"    file: secrets/{account}.password"


def compose_file(service: Service) -> str:
    """Return the compose file of a service's folder; raises `StackError` if its row has none."""
    compose = service.compose
    if compose is None:
        raise StackError(f"The service {service.name!r} has no compose file of its own.")
    common = list(_container(service, compose))
    if compose.scripts:
        head = [f"x-{service.name}: &{service.name}", *_indented(common, 1), ""]
        containers = _scripts(service.name, compose.scripts)
    else:
        head, containers = [], [f"{service.name}:", *_indented(common, 1)]
    for name, worker in compose.workers.items():
        containers += [f"{name}:", *_indented([*_worker(service, compose, name, worker)], 1)]
    lines = [
        *textwrap.wrap(
            compose.comment,
            WIDTH,
            initial_indent="# ",
            subsequent_indent="# ",
            break_on_hyphens=False,
            break_long_words=False,
        ),
        f"# {NOTICE}",
        f"name: driftline-{service.folder}",
        "include: [../deploy/shared.yaml]",
        "",
        *head,
        "services:",
        *_indented(containers, 1),
        "",
        "networks:",
        "  shared-network: {external: true}",
    ]
    return "\n".join(lines) + "\n"


def _container(service: Service, compose: Compose) -> Iterator[str]:
    """Yield the settings of a service's containers."""
    yield from _image(service)
    yield "environment:"
    tokens = {"DRIFTLINE_TOKENS": f"{TOKENS}/tokens.json"} if service.port is not None else {}
    variables = {"DB_USER": service.account, **tokens, **compose.environment}
    yield from (f"  {name}: {value}" for name, value in variables.items())
    yield from _executable_tmp(compose)
    yield from _password(service)
    yield from _volumes(service, compose)
    if service.port is not None:
        yield f'ports: ["127.0.0.1:{service.port}:{service.port}"]'
        yield from RESTARTED
    yield _limits(compose)


def _worker(service: Service, compose: Compose, name: str, worker: WorkerContainer) -> Iterator[str]:
    """Yield the settings of a container beside the service's own."""
    yield f"profiles: [{name}]"
    yield from _image(service)
    yield f"entrypoint: [{', '.join(['python', *worker.command])}]"
    yield "healthcheck: {disable: true} # it listens on no port"
    yield "environment:"
    variables = {"DB_USER": service.account, **worker.environment}
    yield from (f"  {variable}: {value}" for variable, value in variables.items())
    yield from _executable_tmp(compose)
    yield from _password(service)
    yield "volumes:"
    yield from (f"  - {mount}" for mount in (*worker.mounts, STATE))
    yield from RESTARTED
    yield _limits(compose)


def _image(service: Service) -> Iterator[str]:
    yield "extends: {file: ../deploy/hardened.yaml, service: hardened}"
    yield f"image: driftline/{service.image.name}:{version()}"
    yield f"build: {{context: .., dockerfile: deploy/Dockerfile, args: {{SERVICE: {service.image.name}}}}}"


def _executable_tmp(compose: Compose) -> Iterator[str]:
    if compose.executable_tmp:
        yield 'tmpfs: !override ["/tmp:mode=1777,size=256m,exec"] # libraries are unpacked there and loaded'


def _password(service: Service) -> Iterator[str]:
    yield "secrets:"
    yield f"  - {{source: {service.name}_password, target: db_password}}"


def _limits(compose: Compose) -> str:
    limits = f'cpus: "{compose.cpus}", memory: {compose.memory}, pids: {compose.pids}'
    return f"deploy: {{resources: {{limits: {{{limits}}}}}}}"


def _volumes(service: Service, compose: Compose) -> Iterator[str]:
    mounts = [*compose.mounts, *([STATE] if compose.keeps_state else [])]
    if mounts or service.port is not None:
        yield "volumes:"
    if service.port is not None:
        yield "  - type: bind # the folder, so that a replaced file is seen"
        yield "    source: ../deploy/secrets/tokens"
        yield f"    target: {TOKENS}"
        yield "    read_only: true"
        yield "    bind: {create_host_path: false}"
    yield from (f"  - {mount}" for mount in mounts)


def _scripts(anchor: str, scripts: Mapping[str, str]) -> list[str]:
    """Return one container for each script, each after the one before it."""
    lines, previous = list[str](), None
    for name, script in scripts.items():
        lines += [f"{name}:", f"  <<: *{anchor}", f"  entrypoint: [python, {script}]"]
        if previous:
            lines += ["  depends_on:", f"    {previous}: {{condition: service_completed_successfully}}"]
        previous = name
    return lines


def _indented(lines: Sequence[str], levels: int) -> list[str]:
    return [f"{'  ' * levels}{line}" if line else "" for line in lines]


def _filled(file: Path, regions: Mapping[str, Sequence[str]]) -> str:
    text = file.read_text()
    for name, lines in regions.items():
        text = _replaced(text, name, lines, file)
    return text


def _replaced(text: str, name: str, lines: Sequence[str], file: Path) -> str:
    """Return the text with the lines of one region replaced, indented as its first marker is."""
    pattern = re.compile(rf"^( *)(# >>> {name}\b.*\n)(?:.*\n)*?( *# <<< {name}\n)", re.MULTILINE)
    match = pattern.search(text)
    if match is None:
        raise RegionMissing(f"{file} lacks the lines `# >>> {name}` and `# <<< {name}`; restore them.")
    body = "".join(f"{match[1]}{line}\n" if line else "\n" for line in lines)
    return f"{text[: match.start()]}{match[1]}{match[2]}{body}{match[3]}{text[match.end() :]}"


def main() -> int:
    """Write the files that differ from the table."""
    changed = {file: text for file, text in generated_files().items() if not file.exists() or file.read_text() != text}
    for file, text in changed.items():
        file.write_text(text)
        print_line(f"Written: {file.relative_to(paths.ROOT)}")
    if not changed:
        print_line("All files agree with the table of services.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
