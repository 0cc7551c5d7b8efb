"""Ports are chosen around what others use."""

import socket
from pathlib import Path

import pytest

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
