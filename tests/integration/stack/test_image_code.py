"""A service's image holds the code that the service imports."""

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from stack import paths
from stack.services.service import Service
from stack.services.table import MONITOR, SERVICES

PACKAGES = [service for service in SERVICES if service.command and service.compose]
"""The services that run as a package. The jobs are scripts, and the deployment's package holds test fixtures too."""

IMPORT_ALL = """
import importlib, pkgutil, sys
sys.path += {path!r}
package = importlib.import_module({package!r})
assert package.__path__[0].startswith({path!r}[0]), package.__path__
for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    importlib.import_module(module.name)
"""


def import_all(service: Service, root: Path) -> subprocess.CompletedProcess[str]:
    """Import every module of a service in a process that finds only the image's folders and installed packages."""
    for folder in ("src/driftline", *service.image.code):
        link = root / Path(folder).name
        link.symlink_to(paths.ROOT / folder)
    path = [str(root), sysconfig.get_path("purelib")]
    code = IMPORT_ALL.format(path=path, package=service.folder)
    # Without site, the checkout that is installed in the virtual environment is not on the path.
    command = (sys.executable, "-I", "-S", "-c", code)
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("service", PACKAGES, ids=lambda service: service.name)
def test_a_service_imports_only_what_its_image_holds(service: Service, tmp_path: Path) -> None:
    completed = import_all(service, tmp_path)
    assert not completed.returncode, completed.stderr


def test_the_monitor_needs_no_code_of_the_example() -> None:
    assert "src/churn" not in MONITOR.image.code
