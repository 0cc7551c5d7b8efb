"""Connects to MLflow, with its telemetry off and its errors translated once."""

import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from driftline.errors import DriftlineError, InvalidInput, MissingLibrary, NotFound, Unavailable
from driftline.settings import LocalSettings
from driftline.tracking.settings import TrackingSettings

if TYPE_CHECKING:
    from mlflow import MlflowClient

PASSWORD = re.compile(r"://[^/\s]*@")
"""The user and password of an address, which messages leave out."""
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}
"""Variables that MLflow reads when it is imported: nothing calls home, and a server that is away is noticed soon."""


class TrackingUnavailable(Unavailable):
    """MLflow does not answer; check MLFLOW_TRACKING_URI, or unset it to use the local store."""


def connect(settings: TrackingSettings, local: LocalSettings) -> "MlflowClient":
    """Return a client of the tracking server or store; a local store is created.

    Raises:
        MissingLibrary: MLflow is not installed. TrackingUnavailable: the server or store does not answer.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    try:
        import mlflow  # noqa: PLC0415  (after its variables; it takes seconds)
        from mlflow import MlflowClient  # noqa: PLC0415
    except ImportError as error:
        raise MissingLibrary(
            "MLflow's client is not installed; install it: pip install 'driftline[mlflow]'."
        ) from error
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    address = settings.address(local)
    local.var.mkdir(parents=True, exist_ok=True)
    mlflow.set_tracking_uri(address)
    with translated(address):
        return MlflowClient(address)


@contextmanager
def translated(subject: str) -> Iterator[None]:
    """Raise MLflow's errors as Driftline's, which name what was looked for."""
    from mlflow.exceptions import MlflowException  # noqa: PLC0415

    try:
        yield
    except DriftlineError:
        raise
    except MlflowException as error:
        reason = PASSWORD.sub("://", str(error).splitlines()[0])[:300]
        if error.error_code == "RESOURCE_DOES_NOT_EXIST" or "not found" in reason:  # an alias has another code
            raise NotFound(f"MLflow has no {subject}: {reason}") from error
        if error.error_code in ("INVALID_PARAMETER_VALUE", "BAD_REQUEST"):
            raise InvalidInput(f"MLflow refuses {subject}: {reason}") from error
        raise TrackingUnavailable(f"MLflow does not answer ({reason}); check MLFLOW_TRACKING_URI.") from error
    except OSError as error:
        raise TrackingUnavailable(f"MLflow's store cannot be used ({error}); check MLFLOW_TRACKING_URI.") from error
