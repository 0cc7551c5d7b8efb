"""Free ports are chosen, and only the owner can read local state."""

import socket
import stat
from pathlib import Path

import pytest

from stack.errors import StackError
from stack.servers import ports
from stack.services.lifecycle import choose_ports
from stack.services.local import PROCESSES, SERVERS
from stack.services.site import Site, read_ports


def two_consecutive_free_ports() -> int:
    first = ports.any_free()
    return first if ports.is_free(first + 1) else two_consecutive_free_ports()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = Site.at(tmp_path / "var", {})
    site.claim()
    return site


@pytest.mark.parametrize("existing", [None, "empty", "claimed"])
def test_only_the_owner_can_enter_the_var_folder(existing: str | None, tmp_path: Path) -> None:
    site = Site.at(tmp_path / "state" / "var", {})
    if existing:
        site.var.mkdir(parents=True)
        if existing == "claimed":
            site.claim()
        site.var.chmod(0o755)
    site.claim()
    assert stat.filemode(site.var.stat().st_mode) == "drwx------"


def test_a_var_folder_that_cannot_be_created_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StackError, match=r"file/var cannot be written to .*set DRIFTLINE_VAR to a folder of your own"):
        Site.at(tmp_path / "file" / "var", {}).claim()


def test_two_ports_of_a_server_are_distinct(site: Site) -> None:
    first = two_consecutive_free_ports()
    requested = {**site.ports, "kafka": first, "kafka-controller": first + 1}
    with socket.create_server(("127.0.0.1", first)), socket.create_server(("127.0.0.1", first + 1)):
        ports_of_site = choose_ports(Site(site.var, "RawData", requested), SERVERS, any_port=False).ports
    assert {first, first + 1}.isdisjoint(ports_of_site.values())
    assert len(set(ports_of_site.values())) == len(ports_of_site)


def test_chosen_ports_are_saved(site: Site) -> None:
    ports_of_site = choose_ports(site, PROCESSES, any_port=True).ports
    assert read_ports(site.var) == ports_of_site
    assert len(set(ports_of_site.values())) == 6


def test_a_requested_port_is_used(site: Site) -> None:
    requested = ports.any_free()
    by_hand = Site.at(site.var, {"MONITOR_PORT": str(requested)})
    assert choose_ports(by_hand, PROCESSES, any_port=False).ports["monitor"] == requested
