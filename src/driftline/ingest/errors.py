"""Why a batch is refused before its rows are looked at."""

from http import HTTPStatus

from driftline.errors import DriftlineError


class UnsupportedContent(DriftlineError):
    """The content type or encoding is not supported; the message lists those that are."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE


class TooMuchContent(DriftlineError):
    """The batch is too large; send it in parts."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
