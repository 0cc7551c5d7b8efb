"""The server as a whole: its port, its limit of requests, and how it stops."""

import http.client
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress

import pytest

from driftline.errors import InvalidInput
from driftline.http.server.server import MAX_CONCURRENT_REQUESTS, make_server
from stack import paths
from stack.servers import ports
from tests.integration.driftline.http.server.clients import HOST, PLAIN, connect_when_listening, example_app, get, read


def test_a_port_in_use_is_one_clear_message(port: int) -> None:
    with pytest.raises(InvalidInput, match=f"Cannot listen on {HOST}:{port}"):
        make_server(example_app(), HOST, port, PLAIN)


def test_concurrent_requests_are_limited() -> None:
    active, maximum, lock = 0, 0, threading.Lock()
    full = threading.Event()

    def work(environ: object, start_response: Callable[..., object]) -> Iterable[bytes]:
        """Answer once as many requests as are allowed are active, and record the highest number."""
        nonlocal active, maximum
        with lock:
            active += 1
            maximum = max(maximum, active)
            if maximum >= MAX_CONCURRENT_REQUESTS:
                full.set()
        full.wait(10)
        time.sleep(0.05)  # time for one more than allowed
        with lock:
            active -= 1
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]

    server = make_server(work, HOST, 0, PLAIN)
    serving_thread = threading.Thread(target=server.serve)
    serving_thread.start()
    clients = [threading.Thread(target=get, args=(server.bind_addr[1],)) for _ in range(20)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    server.stop()
    serving_thread.join()
    assert maximum == MAX_CONCURRENT_REQUESTS


SLOW_SERVICE = """
import sys, time
from driftline.http.server.server import serve
from driftline.settings import TlsSettings

def app(environ, start_response):
    print("begun", flush=True)
    time.sleep(1)
    start_response("200 OK", [("Content-Length", "4")])
    return [b"done"]

serve(app, "127.0.0.1", int(sys.argv[1]), TlsSettings())
print("closed", flush=True)
"""


def test_sigterm_finishes_requests_in_progress() -> None:
    port = ports.any_free()
    command = [sys.executable, "-c", SLOW_SERVICE, str(port)]
    environment = {**os.environ, "PYTHONPATH": "src"}
    with subprocess.Popen(command, cwd=paths.ROOT, env=environment, stdout=subprocess.PIPE, text=True) as service:
        assert service.stdout
        connection = connect_when_listening(port)
        assert service.stdout.readline() == "begun\n"
        service.send_signal(signal.SIGTERM)
        answer = read(connection)
        assert answer.endswith(b"done")
        assert service.wait(10) == 0
        assert service.stdout.read() == "closed\n"
        connection.close()


SIGNALLED_SERVICE = """
import gc, os, signal, sys, threading
from driftline.http.server.server import serve
from driftline.settings import TlsSettings

def interrupt(*_):
    if threading.current_thread() is threading.main_thread():
        gc.callbacks.remove(interrupt)
        os.kill(os.getpid(), signal.SIGTERM)

def app(environ, start_response):
    if environ["PATH_INFO"] == "/collect":
        gc.callbacks.append(interrupt)
        gc.set_threshold(1)
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]

serve(app, "127.0.0.1", int(sys.argv[1]), TlsSettings())
print("closed", flush=True)
"""


@contextmanager
def _signalled_service() -> Iterator[tuple[subprocess.Popen[str], int]]:
    port = ports.any_free()
    command = [sys.executable, "-c", SIGNALLED_SERVICE, str(port)]
    environment = {**os.environ, "PYTHONPATH": "src"}
    with subprocess.Popen(command, cwd=paths.ROOT, env=environment, stdout=subprocess.PIPE, text=True) as service:
        try:
            connect_when_listening(port).close()
            yield service, port
        finally:
            service.kill()


def test_a_signal_during_a_callback_stops_the_service() -> None:
    """Python drops an exception that is raised in a callback, such as one of the garbage collector."""
    with _signalled_service() as (service, port):
        assert get(port, path="/collect") == (200, b"ok")
        with suppress(OSError):
            get(port)
        assert service.wait(10) == 0


def test_signals_at_any_moment_stop_a_busy_service() -> None:
    rng = random.Random(5)

    def load(port: int) -> None:
        with suppress(OSError, http.client.HTTPException):
            while True:
                get(port)

    for _ in range(6):
        with _signalled_service() as (service, port):
            clients = [threading.Thread(target=load, args=(port,)) for _ in range(3)]
            for client in clients:
                client.start()
            time.sleep(rng.uniform(0, 0.2))
            for _ in range(2):  # at once: a signal after the last line of a program is Python's own to handle
                service.send_signal(signal.SIGTERM)
            assert service.wait(10) == 0
            assert service.stdout
            assert service.stdout.read() == "closed\n"
            for client in clients:
                client.join()
