"""A service of the compose file, run by runc: image, words, variables, secrets and volumes are those written there."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from devtools.packaging.images import Image
from devtools.packaging.runc_container import EXECUTABLE, TMPFS, RuncContainer
from stack.containers import secrets as container_secrets
from tests.integration.deploy.test_compose import environment

VOLUME = "driftline-var"
SECRETS = container_secrets.FOLDER


def described(
    service: Mapping[str, Any],
    secrets: Mapping[str, Any],
    folder: Path,
    image: Image,
    addresses: Mapping[str, str],
    secrets_folder: Path,
    volume: Path,
) -> RuncContainer:
    """Describe a container of the compose file with the test's `addresses` and the secrets of `secrets_folder`."""
    files = {
        f"/run/secrets/{mount['target']}": Path(secrets[mount["source"]]["file"])
        for mount in service.get("secrets", [])
    }
    bound = {mount["target"]: Path(mount["source"]) for mount in service.get("volumes", []) if mount["type"] == "bind"}
    volumes = {mount["target"]: volume for mount in service.get("volumes", []) if mount.get("source") == VOLUME}
    return RuncContainer(
        image,
        folder,
        environment(dict(service)) | dict(addresses),
        {place: _moved(file, secrets_folder) for place, file in (files | bound).items()} | volumes,
        tmp_options=EXECUTABLE if service["tmpfs"][0].endswith(",exec") else TMPFS,
    )


def _moved(file: Path, folder: Path) -> Path:
    """Take the test's own secret in place of the one of the checkout."""
    return folder / file.relative_to(SECRETS) if file.is_relative_to(SECRETS) else file
