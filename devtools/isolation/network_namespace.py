"""`python -m devtools.isolation.network_namespace COMMAND…`: runs a command with loopback only and logs its attempts.

The command runs in a network namespace of its own. All packets that are not for loopback, name lookups included, are
routed to an interface that this process reads and never answers. Each attempt is a line of a log
(`devtools.isolation.network_attempts`), whose path the command finds in `DRIFTLINE_ATTEMPTS`. Neither root nor another
program is needed: on Linux an ordinary user can create a user namespace as well, in which its user id stays the same.
If the machine forbids that, the command runs without isolation after a warning.
"""

import ctypes
import fcntl
import os
import signal
import socket
import struct
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from devtools.isolation import network_attempts
from stack.console import print_line, print_warning

VARIABLE = "DRIFTLINE_ATTEMPTS"
INTERFACE = b"outside"
RESOLVER = "nameserver 198.18.0.53\nsearch .\noptions timeout:1 attempts:1\n"
"""An address outside of loopback: every lookup is logged, and times out after a second."""
SWITCH = "hosts: files dns\n"
"""Disables lookups through sockets of local services."""

CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWNET = 0x00020000, 0x10000000, 0x40000000
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
SIOCGIFINDEX, SIOCSIFADDR, SIOCSIFFLAGS, SIOCADDRT, RTF_UP = 0x8933, 0x8916, 0x8914, 0x890B, 0x1
TUNSETIFF, IFF_TUN, IFF_NO_PI, IFF_UP, IFF_RUNNING = 0x400454CA, 0x0001, 0x1000, 0x1, 0x40
"""Constants of the kernel: sched.h, mount.h, sockios.h, if_tun.h, if.h, route.h."""

_libc = ctypes.CDLL(None, use_errno=True)


def enter() -> int:
    """Move this process to a new network namespace; return the descriptor of the packets that are not for loopback.

    Raises `OSError` if the machine does not permit it; the process may then be partly moved: try in a child first.
    """
    _unshare_network()
    _redirect_name_lookups()
    _bring_up(b"lo")
    return _outside()


def reason_impossible() -> str | None:
    """Return why a process cannot enter a network namespace here, None if it can; tried in a child process."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os.write(writing, _reason().encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        reason = pipe.read()
    os.waitpid(child, 0)
    return reason or None


def main(command: list[str]) -> int:
    """Run a command in a network namespace, or without one if that is impossible; return its exit status."""
    reason = reason_impossible()
    if reason:
        print_warning(f"This machine does not permit a network of its own ({reason}): connections are not watched.")
        os.execvp(command[0], command)  # noqa: S606  # no shell is meant
    with tempfile.TemporaryDirectory(prefix="driftline-attempts-") as folder:
        log = Path(folder) / "attempts.jsonl"
        log.touch()
        outside = enter()
        print_line("Running with loopback only; other connection attempts are logged.")
        child = os.fork()
        if child == 0:
            os.execvpe(command[0], command, {**os.environ, VARIABLE: str(log)})  # noqa: S606  # no shell is meant
        return _watch(child, outside, log)


def _watch(child: int, outside: int, log: Path) -> int:
    """Log attempts until the command has ended, and print them; an interrupt is left to the command."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
    watcher = network_attempts.AttemptRecorder(outside, log)
    watcher.start()
    _, status = os.waitpid(child, 0)
    for attempt in network_attempts.read(log):
        print_warning(f"Would have left: {attempt}")
    return os.waitstatus_to_exitcode(status)


def _reason() -> str:
    try:
        enter()
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _unshare_network() -> None:
    """Create the network and mount namespaces; without root, also a user namespace with the same user id."""
    user, group = os.geteuid(), os.getegid()
    namespaces = CLONE_NEWNET | CLONE_NEWNS
    if user == 0 and _unshare(namespaces):
        return
    if not _unshare(namespaces | CLONE_NEWUSER):
        raise _last_error("unshare")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")


def _redirect_name_lookups() -> None:
    """Send all name lookups to the outside, except for the machine's own name, which Java looks up when it starts."""
    hosts = Path("/etc/hosts")
    named = f"{hosts.read_text()}\n127.0.0.1 {socket.gethostname()}\n"
    _mount(b"none", b"/", MS_REC | MS_PRIVATE)
    for file, text in ((hosts, named), (Path("/etc/resolv.conf"), RESOLVER), (Path("/etc/nsswitch.conf"), SWITCH)):
        if file.exists():
            _cover(file.resolve(), text)


def _cover(file: Path, text: str) -> None:
    """Replace the content of a file in this mount namespace; the mount outlives the temporary folder."""
    with tempfile.TemporaryDirectory() as folder:
        replacement = Path(folder) / file.name
        replacement.write_text(text)
        replacement.chmod(0o644)
        _mount(os.fsencode(replacement), os.fsencode(file), MS_BIND)


def _outside() -> int:
    """Create the interface that all other addresses are routed to, IPv6 too if the machine has it."""
    tun = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", INTERFACE, IFF_TUN | IFF_NO_PI))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, SIOCSIFADDR, struct.pack("16s16s8x", INTERFACE, _ipv4("198.18.0.1")))
        _bring_up(INTERFACE)
        _route_everything(control)
        (index,) = struct.unpack_from("16xi", fcntl.ioctl(control, SIOCGIFINDEX, struct.pack("16s24x", INTERFACE)))
    with suppress(OSError), socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as control:
        address = socket.inet_pton(socket.AF_INET6, "2001:db8::1")
        fcntl.ioctl(control, SIOCSIFADDR, struct.pack("16sIi", address, 0, index))
    return tun


def _route_everything(control: socket.socket) -> None:
    """Add the default route, as a `struct rtentry`."""
    name, anywhere = ctypes.create_string_buffer(INTERFACE), _ipv4("0.0.0.0")  # noqa: S104  # the mask of all the world
    target = struct.pack("@L16s16s16sHhL", 0, anywhere, anywhere, anywhere, RTF_UP, 0, 0)
    fcntl.ioctl(control, SIOCADDRT, target + struct.pack("@PhPLLH", 0, 0, ctypes.addressof(name), 0, 0, 0))


def _ipv4(address: str) -> bytes:
    """Return a `struct sockaddr_in`."""
    return struct.pack("=HH4s8x", socket.AF_INET, 0, socket.inet_aton(address))


def _bring_up(interface: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sH22x", interface, IFF_UP | IFF_RUNNING))


def _unshare(flags: int) -> bool:
    return bool(_libc.unshare(flags) == 0)


def _mount(source: bytes, target: bytes, flags: int) -> None:
    if _libc.mount(source, target, None, ctypes.c_ulong(flags), None):
        raise _last_error(f"mount on {target.decode()}")


def _last_error(call: str) -> OSError:
    number = ctypes.get_errno()
    return OSError(number, f"{call}: {os.strerror(number)}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
