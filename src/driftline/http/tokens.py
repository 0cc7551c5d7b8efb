"""Tokens of the web services: a file of their hashes, who may do what, and since when a token is void.

The file is JSON, `{"tokens": [{name, sha256, scopes, created_at, expires_at}, …]}`. A token is 256 random bits, so one
SHA-256 of it without salt cannot be turned back. Services read the file again when it changes: no restart.
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
from driftline.http.scopes import Scope

log = logging.getLogger(__name__)

PREFIX = "driftline_"
"""What every token begins with, so that a scan for secrets knows one when it sees it."""
PATTERN = rf"{PREFIX}[A-Za-z0-9_-]{{43}}"
SETTLED = timedelta(seconds=2)
"""A file that was written less than this ago may change once more within the same tick of the file system's clock."""


class Token(BaseModel):
    """One token as it is kept: its hash, never itself. `expires_at` is None where it does not expire."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    scopes: Annotated[frozenset[Scope], PlainSerializer(sorted)] = Field(min_length=1)
    created_at: AwareDatetime
    expires_at: AwareDatetime | None = None

    def is_valid(self, now: datetime) -> bool:
        """Whether it has not expired."""
        return self.expires_at is None or now < self.expires_at


def _distinct(tokens: tuple[Token, ...]) -> tuple[Token, ...]:
    for field in ("name", "sha256"):
        values = [getattr(token, field) for token in tokens]
        if len(set(values)) < len(values):
            raise ValueError(f"two tokens have the same {field}")
    return tokens


class Content(BaseModel):
    """What the file holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tokens: Annotated[tuple[Token, ...], AfterValidator(_distinct)] = ()


def read(path: Path) -> tuple[Token, ...]:
    """Read the tokens of a file.

    Raises:
        InvalidInput: the file is not there, not readable, or not one of tokens; the message says what to do.
    """
    try:
        return Content.model_validate_json(path.read_bytes()).tokens
    except FileNotFoundError as error:
        raise InvalidInput(f"There is no file {path} of tokens; make one with `driftline token create`.") from error
    except OSError as error:
        raise InvalidInput(f"The tokens in {path} cannot be read: {error.strerror}.") from error
    except ValidationError as error:
        details = tuple(_fault(fault["loc"], fault["msg"]) for fault in error.errors(include_input=False))
        cure = "restore it, or move it away and make new tokens with `driftline token create`."
        raise InvalidInput(f"{path} is no file of tokens; {cure}", details=details) from None


def find(tokens: tuple[Token, ...], given: str, now: datetime) -> Token | None:
    """Give the valid token that was sent, or None; takes as long for a near miss as for any other string."""
    sent = _hash(given)
    found = [token for token in tokens if hmac.compare_digest(token.sha256, sent)]
    return found[0] if found and found[0].is_valid(now) else None


def create(path: Path, name: str, scopes: frozenset[Scope], now: datetime, lasting: timedelta | None = None) -> str:
    """Make a token, keep its hash in the file, and give it: this is the only time that it can be seen.

    Raises:
        Conflict: there is a token of that name.
        InvalidInput: the name or the scopes do not fit, or the file is broken; it is left as it is.
    """
    token = PREFIX + secrets.token_urlsafe(32)
    made = _checked(name=name, sha256=_hash(token), scopes=scopes, created_at=now, expires_at=lasting and now + lasting)

    def add(tokens: tuple[Token, ...]) -> tuple[Token, ...]:
        if any(token.name == name for token in tokens):
            raise Conflict(f"There is a token named {name!r}; revoke it first, or take another name.")
        return (*tokens, made)

    _change(path, add)
    return token


def revoke(path: Path, name: str) -> None:
    """Take a token out of the file; services refuse it from their next request on.

    Raises:
        NotFound: no token has that name.
        InvalidInput: the file is not there, or broken.
    """

    def remove(tokens: tuple[Token, ...]) -> tuple[Token, ...]:
        kept = tuple(token for token in tokens if token.name != name)
        if len(kept) == len(tokens):
            known = ", ".join(token.name for token in tokens) or "none"
            raise NotFound(f"No token is named {name!r}. There are: {known}.")
        return kept

    read(path)
    _change(path, remove)


class TokenFile:
    """The tokens of a file as they are now; while the file is broken, those that it last held. Safe for threads."""

    def __init__(self, path: Path, clock: Clock) -> None:
        """Read the file; raises `InvalidInput` where that fails, or where no token in it is valid."""
        self.path, self._clock = path, clock
        self._lock = Lock()
        self._stamp: object = None
        self._problem: str | None = None
        self._tokens = read(path)
        if not any(token.is_valid(clock()) for token in self._tokens):
            raise InvalidInput(f"No token in {path} is valid; make one with `driftline token create`.")

    def find(self, given: str) -> Token | None:
        """Give the valid token that was sent, or None."""
        return find(self._current(), given, self._clock())

    def _current(self) -> tuple[Token, ...]:
        with self._lock:
            try:
                self._refresh()
                self._problem = None
            except InvalidInput as error:
                self._tell(str(error))
            return self._tokens

    def _refresh(self) -> None:
        stamp = _stamp(self.path, self._clock())
        if stamp is None or stamp != self._stamp:
            self._tokens = read(self.path)
            self._stamp = stamp

    def _tell(self, problem: str) -> None:
        """Log a problem once, not with each request."""
        if problem != self._problem:
            log.error("%s Until then the tokens read last are accepted.", problem)
        self._problem = problem


def _stamp(path: Path, now: datetime) -> tuple[int, ...] | None:
    """Tell one content of a file from the next without reading it; None where that cannot be told."""
    try:
        found = path.stat()
    except OSError:
        return None
    settled = now.timestamp() - found.st_mtime > SETTLED.total_seconds()
    return (found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_dev, found.st_size) if settled else None


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def _fault(place: tuple[int | str, ...], message: str) -> str:
    where = ".".join(map(str, place))
    said = message.removeprefix("Value error, ")
    return f"{where}: {said}" if where else said


def _checked(**fields: object) -> Token:
    try:
        return Token.model_validate(fields)
    except ValidationError as error:
        details = tuple(_fault(fault["loc"], fault["msg"]) for fault in error.errors(include_input=False))
        raise InvalidInput("Such a token cannot be made; correct the faults listed.", details=details) from None


def _change(path: Path, change: Callable[[tuple[Token, ...]], tuple[Token, ...]]) -> None:
    """Read, change and replace the file, one process at a time; a link to it stays one."""
    real = path.resolve()
    try:
        real.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _alone(real):
            tokens = read(real) if real.exists() else ()
            _replace(real, Content(tokens=change(tokens)).model_dump_json(indent=2) + "\n")
    except OSError as error:
        raise InvalidInput(f"{path} cannot be written ({error.strerror}); nothing was changed.") from error


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold the lock of a file; the lock is a file beside it, since the file itself is replaced."""
    descriptor = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _replace(path: Path, text: str) -> None:
    """Write beside and rename, readable by the file's owner only: a reader sees the old content or the new."""
    staged = path.with_name(f"{path.name}.{os.getpid()}.partial")
    staged.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
            _give_to_owner_of(path, opened.fileno())
            opened.write(text)
            opened.flush()
            os.fsync(opened.fileno())
        staged.replace(path)
    finally:
        staged.unlink(missing_ok=True)


def _give_to_owner_of(path: Path, descriptor: int) -> None:
    """Leave the file with the service's user where the administrator changes it."""
    if os.geteuid() == 0 and path.exists():
        owner = path.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
