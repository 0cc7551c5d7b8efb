"""Downloads the report of a model from the monitor."""

import json
from collections.abc import Mapping
from urllib.parse import quote, urlencode

from driftline.client.sending.delivery import Destination, reason
from driftline.errors import DriftlineError, InvalidInput, NotFound, Unavailable

_ERRORS: dict[int, type[DriftlineError]] = {400: InvalidInput, 404: NotFound}


def download_report(destination: Destination, ending: str, query: Mapping[str, str]) -> bytes:
    """Return the report of the destination's model in the format of an ending, as `GET /models/NAME/report` gives it.

    Raises:
        InvalidInput: the monitor refuses the query.
        NotFound: no such model, version, format or chunks.
        Unavailable: the monitor does not answer, or with another error.
    """
    from urllib3.exceptions import HTTPError  # noqa: PLC0415  (only this command needs it)

    version = {} if destination.version is None else {"version": str(destination.version)}
    path = f"/models/{quote(destination.model, safe='')}/report.{quote(ending, safe='')}"
    address = f"{destination.url.rstrip('/')}{path}?{urlencode({**query, **version})}"
    try:
        response = destination.pool().request(
            "GET", address, headers=destination.headers, redirect=False, retries=False
        )
    except (HTTPError, OSError) as error:
        msg = f"{destination.url} does not answer ({reason(error)}); start the monitor, or pass another --monitor."
        raise Unavailable(msg) from error
    if response.status != 200:
        raise _error(destination, response.status, response.data)
    return response.data


def _error(destination: Destination, status: int, body: bytes) -> DriftlineError:
    try:
        error = json.loads(body)["error"]
        message, details = str(error["message"]), tuple(map(str, error["details"]))
    except (ValueError, KeyError, TypeError):
        message, details = f"{destination.url} answers with status {status}; is it a Driftline monitor?", ()
    return _ERRORS.get(status, Unavailable)(message, details=details)
