"""Every room sees the fixtures that the stack ships; laws are tried on fresh examples, on the same ones in CI.

With `pytest -n 2 --dist loadgroup` a file's tests run in one process, and all that use a fixture of `SHARED` in one.
"""

import gc
import logging
import os
import signal
from collections.abc import Generator
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

FIXTURES = ("stack.testing.fixtures", "stack.testing.object_fixtures")
"""Fixtures of servers; the environment of `make test-newest` has no clients of servers."""

gc.disable()
"""Imports leave nothing to collect, and looking for it took a tenth of the time of the collection of tests."""

SHARED = ("nannyml", "spark", "example_spark", "loop")
"""Fixtures that take several seconds to make, once in each process that asks for one."""

EXAMPLES = int(os.environ.get("EXAMPLES", "10"))
"""On how many examples a law is tried; `make test-laws` sets more."""

TEXTS = {"slow": b"mark.slow", "hypothesis": b"hypothesis"}
"""Marks, and the text that a file has which has a test with this mark."""


def pytest_configure(config: pytest.Config) -> None:
    """Load what tests use, which takes a second; the process of pytest-xdist that hands tests out needs none of it.

    Where the tests run in the background of a script, Ctrl-C (SIGINT) is ignored, also by the commands that they start.
    """
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if config.getoption("dist", "no") != "no" and not hasattr(config, "workerinput"):
        return
    _load_laws()
    if find_spec("confluent_kafka"):
        for name in FIXTURES:
            config.pluginmanager.register(import_module(name), name)


def _load_laws() -> None:
    from hypothesis import settings  # noqa: PLC0415  (see `pytest_configure`)

    settings.register_profile("fresh", deadline=None, max_examples=EXAMPLES)
    settings.register_profile("same", deadline=None, max_examples=EXAMPLES, derandomize=True)
    settings.load_profile("same" if os.environ.get("CI") else "fresh")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out files without the requested mark: most have none, and importing all takes longer than some tests."""
    text = TEXTS.get(config.getoption("markexpr"))
    is_left_out = text and collection_path.match("test_*.py") and text not in _source(collection_path)
    return True if is_left_out else None


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name bytes by their length: gzip writes the time into them, and each process of pytest-xdist collects them."""
    return f"{argname} of {len(val)} bytes" if isinstance(val, bytes) else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Name the group of every test, before pytest-xdist reads the names."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item)))
        _require_text(item)


def _require_text(item: pytest.Item) -> None:
    """Refuse a mark that `pytest_ignore_collect` would not find in the test's file."""
    for mark, text in TEXTS.items():
        if item.get_closest_marker(mark) and text not in _source(item.path):
            raise pytest.UsageError(f"{item.path} has a test with the mark {mark!r}; write {text.decode()!r} in it.")


@cache
def _source(path: Path) -> bytes:
    return path.read_bytes()


def _group(item: pytest.Item) -> str:
    fixtures = getattr(item, "fixturenames", ())
    return next((name for name in SHARED if name in fixtures), item.nodeid.partition("::")[0])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Generator[None, object, object]:
    """Undo what a test configures of the log: its handler writes to a standard error that is closed after the test."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        return (yield)
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)  # also makes loggers forget which levels are on


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over all that was imported, and look less often: it took a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 50)
    gc.enable()
