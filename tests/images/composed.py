"""A service of the compose file, run by runc: image, words, variables, secrets and volumes are those written there."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from devtools.images import Image
from devtools.runc_container import EXECUTABLE, TMPFS, RuncContainer
from stack.containers import secrets as container_secrets
from tests.integration.deploy.test_compose import environment

VOLUME = "driftline-var"
SECRETS = container_secrets.FOLDER


def described(
    service: Mapping[str, Any],
    secrets: Mapping[str, Any],
    folder: Path,
    image: Image,
    here: Mapping[str, str],
    made: Path,
    volume: Path,
) -> RuncContainer:
    """Describe it, with the servers that are `here` in place of the compose file's, and the secrets `made` for it."""
    files = {
        f"/run/secrets/{one['target']}": Path(secrets[one["source"]]["file"]) for one in service.get("secrets", [])
    }
    bound = {one["target"]: Path(one["source"]) for one in service.get("volumes", []) if one["type"] == "bind"}
    volumes = {one["target"]: volume for one in service.get("volumes", []) if one.get("source") == VOLUME}
    return RuncContainer(
        image,
        folder,
        environment(dict(service)) | dict(here),
        {place: _moved(file, made) for place, file in (files | bound).items()} | volumes,
        tmp_options=EXECUTABLE if service["tmpfs"][0].endswith(",exec") else TMPFS,
    )


def _moved(file: Path, made: Path) -> Path:
    """Take the test's own secret in place of the one of the checkout."""
    return made / file.relative_to(SECRETS) if file.is_relative_to(SECRETS) else file
