"""Ports are chosen around what others use, and local state is closed to them."""

import socket
import stat
from pathlib import Path

import pytest

from stack.errors import StackError
from stack.servers import ports
from stack.services.lifecycle import choose_ports
from stack.services.local import PROCESSES, SERVERS
from stack.services.site import Site, read_ports


def two_free_neighbours() -> int:
    first = ports.any_free()
    return first if ports.is_free(first + 1) else two_free_neighbours()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    local = Site.at(tmp_path / "var", {})
    local.claim()
    return local


@pytest.mark.parametrize("existing", [None, "empty", "claimed"])
def test_no_other_user_can_look_into_a_var_folder(existing: str | None, tmp_path: Path) -> None:
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


def test_two_ports_of_one_server_do_not_meet(site: Site) -> None:
    first = two_free_neighbours()
    configured = {**site.ports, "kafka": first, "kafka-controller": first + 1}
    with socket.create_server(("127.0.0.1", first)), socket.create_server(("127.0.0.1", first + 1)):
        chosen_ports = choose_ports(Site(site.var, "RawData", configured), SERVERS, any_port=False).ports
    assert {first, first + 1}.isdisjoint(chosen_ports.values())
    assert len(set(chosen_ports.values())) == len(chosen_ports)


def test_chosen_ports_are_saved(site: Site) -> None:
    chosen_ports = choose_ports(site, PROCESSES, any_port=True).ports
    assert read_ports(site.var) == chosen_ports
    assert len(set(chosen_ports.values())) == 5


def test_a_port_set_by_hand_is_taken(site: Site) -> None:
    port = ports.any_free()
    by_hand = Site.at(site.var, {"MONITOR_PORT": str(port)})
    assert choose_ports(by_hand, PROCESSES, any_port=False).ports["monitor"] == port
