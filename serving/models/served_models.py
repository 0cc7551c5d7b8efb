"""The versions that are served: champions, or else the newest; a thread replaces them when that changes."""

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

from sqlalchemy import Engine

from driftline.errors import DriftlineError, InvalidInput, NotFound
from driftline.store.database import translated
from driftline.store.versions import registry
from serving.models.served_version import NotServable, ServedVersion, load_version

log = logging.getLogger(__name__)

MOST_NAMES = 20
"""Models that an error lists."""


class ServedModels:
    """The current version of each model that was requested. Safe for threads.

    A request uses the version that was current when it arrived. Another champion, or a newer version, is loaded beside
    the current one and replaces it when it is complete; where that fails the current one stays, and `problem` says why.
    """

    def __init__(
        self, engine: Engine, default: str | None, retired: Callable[[ServedVersion], None] = lambda version: None
    ) -> None:
        """Store the engine, the model of requests that name none, and what is called with each replaced version.

        Without a default such requests are for the only model that is registered.
        """
        self._engine, self.default, self._retired = engine, default, retired
        self._current: dict[str, ServedVersion] = {}
        self._only: str | None = None
        self._problems: dict[str, str] = {}
        self._loading = threading.Lock()
        self._stop = threading.Event()

    def get(self, name: str | None = None) -> ServedVersion:
        """Return the current version of a model, by default of the default model; load it at the first request.

        Raises:
            NotFound: no such model. NotServable: no version of it can be served yet. InvalidInput: without a name and
                a default there are several models.
        """
        model = name or self.default or self._only or self._find_only()
        current = self._current.get(model)
        if current is not None:
            return current
        with self._loading:
            if model not in self._current:
                self._current[model] = self._first(model)
            return self._current[model]

    def is_loaded(self, name: str | None = None) -> bool:
        """Return whether `get` returns a version at once."""
        return (name or self.default or self._only) in self._current

    def problem(self, name: str) -> str | None:
        """Return why the version of a model that should be served is not; None if it is."""
        return self._problems.get(name)

    def _find_only(self) -> str:
        """Return the only model that is registered, and remember it; raise where there is none, or several."""
        with translated(), self._engine.connect() as connection:
            names = sorted({name for name, _ in registry.versions(connection)})
        if not names:
            raise NotServable("No model is registered; register one with its artifact (`driftline models add`).")
        if len(names) > 1:
            self._only = None
            raise InvalidInput(
                f"The request names no model, and there are several: {_listed(names)}; name one of them as `model`, "
                "or set SERVING_MODEL."
            )
        (self._only,) = names
        return self._only

    def _first(self, name: str) -> ServedVersion:
        """Load a model for the first time; a default model that is not trained yet is a state, not a wrong name."""
        try:
            with translated():
                return load_version(self._engine, name)
        except NotFound as error:
            if name != self.default:
                raise
            raise NotServable(
                f"The model {name!r} has no version that can be served; register one with its artifact (`driftline "
                f"models add`), or set SERVING_MODEL to a model that has one. {error.message}"
            ) from error

    def refresh(self) -> None:
        """Look once for newer versions of the models that are served, and whether the only one still is."""
        if self._only is not None:
            with suppress(DriftlineError):
                self._find_only()
        for name, current in [*self._current.items()]:
            try:
                self._refresh(name, current)
            except DriftlineError as error:
                self._report(name, error.message)
            else:
                self._problems.pop(name, None)

    def _refresh(self, name: str, current: ServedVersion) -> None:
        """Replace a version where another is to be served, or drop it where none is ready."""
        with translated(), self._engine.connect() as connection:
            try:
                key = registry.version_key(connection, name)
            except NotFound:
                with self._loading:
                    del self._current[name]
                log.warning("Model %s has no ready version any more; it is not served", name)
                self._retired(current)
                return
        if key == current.registered.key:
            return
        with translated():
            version = load_version(self._engine, name)
        self._current[name] = version
        log.info("Model %s: version %d replaces version %d", name, version.number, current.number)
        self._retired(current)

    def _report(self, name: str, problem: str) -> None:
        """Log a problem the first time it occurs, not with each look."""
        if self._problems.get(name) != problem:
            log.warning("Model %s: the version that is served stays: %s", name, problem)
        self._problems[name] = problem

    def start(self, seconds: float) -> None:
        """Start the thread that looks for newer versions, with a pause of some seconds between two looks."""

        def look() -> None:
            while not self._stop.wait(seconds):
                try:
                    self.refresh()
                except Exception:  # a fault of one look must not end all later ones
                    log.exception("Looking for newer versions failed")

        threading.Thread(target=look, name="versions", daemon=True).start()

    def close(self) -> None:
        """Stop the thread."""
        self._stop.set()


def _listed(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
