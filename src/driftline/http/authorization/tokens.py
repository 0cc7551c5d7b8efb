"""Tokens of the web services: a file with the hash, scopes and expiry of each.

The file is JSON, `{"tokens": [{name, sha256, scopes, created_at, expires_at}, …]}`. A token is 256 random bits, so its
unsalted SHA-256 cannot be reversed. A running service reads the file again when it changes, without a restart.
"""

import fcntl
import hashlib
import hmac
import logging
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer, ValidationError

from driftline.clock import Clock
from driftline.errors import Conflict, InvalidInput, NotFound
from driftline.http.authorization.scopes import Scope
from driftline.validation_faults import validation_faults

log = logging.getLogger(__name__)

PREFIX = "driftline_"
"""The start of every token, by which a scan for secrets recognizes one."""
PATTERN = rf"{PREFIX}[A-Za-z0-9_-]{{43}}"
TIMESTAMP_MARGIN = timedelta(seconds=2)
"""A file written more recently than this may change again without a new modification time."""


class Token(BaseModel):
    """One token as stored: its hash, never the token itself. `expires_at` is None for a token without expiry."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    scopes: Annotated[frozenset[Scope], PlainSerializer(sorted)] = Field(min_length=1)
    created_at: AwareDatetime
    expires_at: AwareDatetime | None = None

    def is_valid(self, now: datetime) -> bool:
        """Return whether the token has not expired."""
        return self.expires_at is None or now < self.expires_at


def _require_distinct(tokens: tuple[Token, ...]) -> tuple[Token, ...]:
    values = {field: [getattr(token, field) for token in tokens] for field in ("name", "sha256")}
    repeated = [field for field, column in values.items() if len(set(column)) < len(column)]
    if repeated:
        raise ValueError(f"two tokens have the same {' and '.join(repeated)}; remove one of them")
    return tokens


class TokenDocument(BaseModel):
    """The content of a token file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tokens: Annotated[tuple[Token, ...], AfterValidator(_require_distinct)] = ()


def read(path: Path) -> tuple[Token, ...]:
    """Read the tokens of a file.

    Raises:
        InvalidInput: the file is missing, cannot be read, or is not a token file.
    """
    try:
        return TokenDocument.model_validate_json(path.read_bytes()).tokens
    except FileNotFoundError as error:
        raise InvalidInput(f"The token file {path} is missing; create it with `driftline token create`.") from error
    except OSError as error:
        raise InvalidInput(f"The token file {path} cannot be read: {error.strerror}; check its permissions.") from error
    except ValidationError as error:
        cure = "restore it, or move it away and create new tokens with `driftline token create`."
        raise InvalidInput(f"{path} is not a valid token file; {cure}", details=_faults(error)) from None


def find(tokens: tuple[Token, ...], submitted: str, now: datetime) -> Token | None:
    """Return the valid token that a client submitted, or None; comparing takes the same time for every string."""
    digest = _hash(submitted)
    matches = [token for token in tokens if hmac.compare_digest(token.sha256, digest)]
    return matches[0] if matches and matches[0].is_valid(now) else None


def create(path: Path, name: str, scopes: frozenset[Scope], now: datetime, lifetime: timedelta | None = None) -> str:
    """Create a token, store its hash in the file and return the token, which cannot be recovered later.

    Raises:
        Conflict: a token of that name exists.
        InvalidInput: the name or the scopes are invalid, or the file is; the file stays unchanged.
    """
    token = PREFIX + secrets.token_urlsafe(32)
    entry = _make_entry(
        name=name, sha256=_hash(token), scopes=scopes, created_at=now, expires_at=lifetime and now + lifetime
    )

    def add(tokens: tuple[Token, ...]) -> tuple[Token, ...]:
        if any(token.name == name for token in tokens):
            raise Conflict(f"A token named {name!r} exists; revoke it first, or choose another name.")
        return (*tokens, entry)

    _change(path, add)
    return token


def revoke(path: Path, name: str) -> None:
    """Remove a token from the file; services refuse it from their next request on.

    Raises:
        NotFound: no token has that name.
        InvalidInput: the file is missing or invalid.
    """

    def remove(tokens: tuple[Token, ...]) -> tuple[Token, ...]:
        remaining = tuple(token for token in tokens if token.name != name)
        if len(remaining) == len(tokens):
            names = ", ".join(token.name for token in tokens) or "none"
            raise NotFound(f"There is no token named {name!r}. Existing tokens: {names}.")
        return remaining

    read(path)
    _change(path, remove)


class TokenFile:
    """The current tokens of a file; while the file is invalid, the last valid ones. Thread-safe."""

    def __init__(self, path: Path, clock: Clock) -> None:
        """Read the file; raises `InvalidInput` if that fails, or if no token in it is valid."""
        self.path, self._clock = path, clock
        self._lock = Lock()
        self._stamp: object = None
        self._problem: str | None = None
        self._tokens = read(path)
        if not any(token.is_valid(clock()) for token in self._tokens):
            raise InvalidInput(f"No token in {path} is valid; create one with `driftline token create`.")

    def find(self, submitted: str) -> Token | None:
        """Return the valid token that a client submitted, or None."""
        return find(self._current(), submitted, self._clock())

    def _current(self) -> tuple[Token, ...]:
        with self._lock:
            try:
                self._refresh()
                self._problem = None
            except InvalidInput as error:
                self._log_new_problem(str(error))
            return self._tokens

    def _refresh(self) -> None:
        stamp = _stamp(self.path, self._clock())
        if stamp is None or stamp != self._stamp:
            self._tokens = read(self.path)
            self._stamp = stamp

    def _log_new_problem(self, problem: str) -> None:
        """Log a problem the first time it occurs, not with each request."""
        if problem != self._problem:
            log.error("%s Until then the tokens read last are accepted.", problem)
        self._problem = problem


def _stamp(path: Path, now: datetime) -> tuple[int, ...] | None:
    """Return what changes with a file's content; None if the file is missing or may change within the same tick."""
    try:
        status = path.stat()
    except OSError:
        return None
    if now.timestamp() - status.st_mtime <= TIMESTAMP_MARGIN.total_seconds():
        return None
    return status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev, status.st_size


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


_PUBLIC_FIELDS = frozenset({"scopes", "created_at", "expires_at"})
"""The fields of a token file whose values are shown in messages; another one may be a token."""


def _faults(error: ValidationError) -> tuple[str, ...]:
    """Return each fault with its location, and with the value of the fields that may be shown."""
    return tuple(validation_faults(error, document="the file", is_secret=_PUBLIC_FIELDS.isdisjoint))


def _make_entry(**fields: object) -> Token:
    try:
        return Token.model_validate(fields)
    except ValidationError as error:
        faults = tuple(validation_faults(error, is_secret=lambda location: "sha256" in location))
        raise InvalidInput("The token cannot be created; correct these faults.", details=faults) from None


def _change(path: Path, change: Callable[[tuple[Token, ...]], tuple[Token, ...]]) -> None:
    """Read, change and replace the file, one process at a time; a symbolic link stays a link."""
    target = path.resolve()
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _exclusive_lock(target):
            tokens = read(target) if target.exists() else ()
            _replace(target, TokenDocument(tokens=change(tokens)).model_dump_json(indent=2) + "\n")
    except OSError as error:
        raise InvalidInput(
            f"{path} cannot be written ({error.strerror}) and was not changed; correct the path or its permissions."
        ) from error


@contextmanager
def _exclusive_lock(path: Path) -> Iterator[None]:
    """Hold the lock of a file: a second file beside it, since the first is replaced."""
    descriptor = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _replace(path: Path, text: str) -> None:
    """Write a temporary file, readable by its owner only, and rename it: readers see the old or the new content."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.partial")
    temporary.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            _keep_owner(path, file.fileno())
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _keep_owner(path: Path, descriptor: int) -> None:
    """Set the owner of the new file to that of the old one: a change by root leaves it readable for the service."""
    if os.geteuid() == 0 and path.exists():
        status = path.stat()
        os.fchown(descriptor, status.st_uid, status.st_gid)
