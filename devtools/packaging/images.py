"""Builds the images of deploy/Dockerfile and of the examples for the tests: with buildah, without a Docker engine.

The real base image would need an image registry. A substitute is bootstrapped here: Debian 12, whose Python is 3.11
too, with the certificates that this machine trusts. So the tests are valid for the layers above the base. Images and
layers stay in `build/images`, and another build reuses them.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stack import paths
from stack.errors import StackError
from stack.locks import exclusive_lock
from stack.services.table import SERVICES
from stack.setup import virtualenv

DOCKERFILE = paths.ROOT / "deploy" / "Dockerfile"
IMAGES = tuple(service.image.name for service in SERVICES)
"""The names of the images, which are the values of the Dockerfile's SERVICE."""
EXAMPLES = {
    "example-titanic": paths.ROOT / "examples" / "titanic" / "Dockerfile",
    "example-titanic-lambda": paths.ROOT / "examples" / "titanic" / "cloud" / "Dockerfile",
    "example-dse": paths.ROOT / "examples" / "dse" / "Dockerfile",
}
"""The Dockerfiles of the images that examples have of their own."""
BUILT_ON = {"example-dse": "jobs"}
"""The images of examples whose base is another of these images; the others have the stand-in."""
PROGRAMS = ("buildah", "debootstrap", "runc", "unshare")
BASE = "localhost/driftline/stand-in:bookworm-pip"
OWN_CERTIFICATES = Path("/usr/local/share/ca-certificates")
TRUSTED = "/etc/ssl/certs/ca-certificates.crt"
BASE_ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin",
    "LANG": "C.UTF-8",
    "PIP_CERT": TRUSTED,
    "PIP_BREAK_SYSTEM_PACKAGES": "1",  # Debian's Python stands for the one of the real base, which pip may change
    "UV_NATIVE_TLS": "1",
}


class ImageBuildFailed(StackError):
    """An image could not be built; the end of the output follows."""


@dataclass(frozen=True)
class Image:
    """A built image: its name, its root file system (mounted, not to be written to), its configuration, its bytes."""

    name: str
    root: Path
    configuration: Mapping[str, Any]
    size: int

    @property
    def environment(self) -> dict[str, str]:
        """The variables it sets."""
        return dict(pair.split("=", 1) for pair in self.configuration["Env"])

    @property
    def user(self) -> tuple[int, int]:
        """The numbers of its user and group; raises `ValueError` where they are names."""
        user, group = self.configuration["User"].split(":")
        return int(user), int(group)


def reason_missing() -> str | None:
    """Return why images cannot be built on this machine, with the cure; None if they can."""
    missing = [program for program in PROGRAMS if not shutil.which(program)]
    if missing:
        return f"There is no {', '.join(missing)} here: install buildah, debootstrap, runc and util-linux."
    if os.geteuid() != 0:
        return "Building and running images needs root; this is an ordinary user."
    if subprocess.run(("unshare", "--mount", "--pid", "--fork", "true"), capture_output=True, check=False).returncode:
        return "This machine does not permit namespaces, which images need."
    return None


@dataclass(frozen=True)
class Builder:
    """Builds images in a folder, in which layers and images stay."""

    folder: Path = paths.BUILD / "images"

    def build(self, name: str) -> Image:
        """Build the image of a service or of an example; existing layers are reused.

        Raises:
            ImageBuildFailed: with the end of the output.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with exclusive_lock(self.folder / "build.lock"):
            if not self._exists(BASE):
                self._make_base()
            self._share_packages()
            flags = ("--isolation=chroot", "--pull-never", "--format=docker", "--layers")
            self._buildah("bud", *flags, *_source(name), "--tag", _tag(name), str(paths.ROOT))
            return self._mounted(name)

    def release(self) -> None:
        """Unmount every image, and what killed builds and runs have left mounted; layers and images stay."""
        with exclusive_lock(self.folder / "build.lock"):
            self._buildah("rm", "--all")
            subprocess.run(("umount", str(self.folder / "storage" / "overlay")), capture_output=True, check=False)

    def _mounted(self, name: str) -> Image:
        container = _container(name)
        self._buildah("rm", container, check=False)
        self._buildah("from", "--pull-never", "--name", container, _tag(name))
        inspected = json.loads(self._buildah("inspect", "--type=image", _tag(name)))
        listed = json.loads(self._buildah("images", "--json", _tag(name)))
        root = Path(self._buildah("mount", container).strip())
        return Image(name, root, inspected["Docker"]["config"], _bytes(listed[0]["size"]))

    def _make_base(self) -> None:
        """Bootstrap a minimal Debian 12 with Python, and import it as the base image."""
        root = self.folder / "base"
        shutil.rmtree(root, ignore_errors=True)
        packages = "--include=ca-certificates,python3,python3-pip,python3-venv"
        self._run("debootstrap", "--variant=minbase", packages, "bookworm", str(root))
        for certificate in OWN_CERTIFICATES.glob("*.crt"):
            shutil.copy(certificate, root / OWN_CERTIFICATES.relative_to("/"))
        self._run("chroot", str(root), "update-ca-certificates")
        (root / "usr" / "local" / "bin" / "python").symlink_to("/usr/bin/python3")
        self._import(root)
        shutil.rmtree(root)

    def _import(self, root: Path) -> None:
        self._buildah("rm", "driftline-base", check=False)
        self._buildah("from", "--name", "driftline-base", "scratch")
        self._buildah("add", "--quiet", "driftline-base", str(root), "/")
        variables = (part for name, value in BASE_ENVIRONMENT.items() for part in ("--env", f"{name}={value}"))
        self._buildah("config", *variables, "driftline-base")
        self._buildah("commit", "--quiet", "driftline-base", BASE)
        self._buildah("rm", "driftline-base")

    def _share_packages(self) -> None:
        """Use the machine's package cache, which `make setup` has filled, as the cache of the builds."""
        shared = self._temporary / "buildah-cache" / "driftline-uv"
        if not shared.exists():
            cache = Path(self._run(str(virtualenv.UV / "bin" / "uv"), "cache", "dir").strip())
            shared.parent.mkdir(parents=True, exist_ok=True)
            shared.unlink(missing_ok=True)
            shared.symlink_to(cache)

    @property
    def _temporary(self) -> Path:
        return self.folder / "tmp"

    def _exists(self, tag: str) -> bool:
        return bool(self._buildah("images", "--quiet", tag, check=False).strip())

    def _buildah(self, *arguments: str, check: bool = True) -> str:
        self._temporary.mkdir(parents=True, exist_ok=True)
        temporary = ("env", f"TMPDIR={self._temporary}")
        where = ("--root", str(self.folder / "storage"), "--runroot", str(self.folder / "run"))
        return self._run(*temporary, "buildah", *where, "--storage-driver=overlay", *arguments, check=check)

    @staticmethod
    def _run(*command: str, check: bool = True) -> str:
        completed = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if check and completed.returncode:
            raise ImageBuildFailed(f"`{' '.join(command)}` failed:\n{(completed.stdout + completed.stderr)[-3000:]}")
        return completed.stdout


def _source(name: str) -> tuple[str, ...]:
    """Return the options that name the Dockerfile of an image, its base and its arguments."""
    dockerfile = EXAMPLES.get(name)
    if dockerfile is None:
        return ("--file", str(DOCKERFILE), f"--build-arg=BASE={BASE}", f"--build-arg=SERVICE={name}")
    base = _tag(BUILT_ON[name]) if name in BUILT_ON else BASE
    return ("--file", str(dockerfile), "--ignorefile", f"{dockerfile}.dockerignore", "--from", base)


def _container(name: str) -> str:
    return f"driftline-{name}"


def _tag(name: str) -> str:
    return f"localhost/driftline/{name}:test"


def _bytes(size: str) -> int:
    """Return the bytes of a size as buildah prints it: "930 MB"."""
    number, unit = size.split()
    return round(float(number) * {"B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9}[unit])
