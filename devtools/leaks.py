"""Secrets in files: found by their form (keys, tokens, passwords beside their name), or by value where they are known.

`python -m devtools.leaks` scans what git tracks, `python -m devtools.leaks PATH…` other files and folders.
What is none though it looks like one stands in `not_secrets.toml` with its reason. What is found is never printed.

The forms are those of detect-secrets; the loop is ours: its own gives up on a file at the first byte that is not UTF-8.
"""

import argparse
import hashlib
import re
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from typing import cast

from detect_secrets.filters import heuristic
from detect_secrets.plugins.aws import AWSKeyDetector
from detect_secrets.plugins.azure_storage_key import AzureStorageKeyDetector
from detect_secrets.plugins.base import BasePlugin, RegexBasedDetector
from detect_secrets.plugins.basic_auth import BasicAuthDetector
from detect_secrets.plugins.github_token import GitHubTokenDetector
from detect_secrets.plugins.gitlab_token import GitLabTokenDetector
from detect_secrets.plugins.high_entropy_strings import Base64HighEntropyString, HexHighEntropyString
from detect_secrets.plugins.jwt import JwtTokenDetector
from detect_secrets.plugins.keyword import KeywordDetector
from detect_secrets.plugins.npm import NpmDetector
from detect_secrets.plugins.private_key import PrivateKeyDetector
from detect_secrets.plugins.pypi_token import PypiTokenDetector
from detect_secrets.plugins.slack import SlackDetector
from detect_secrets.plugins.stripe import StripeDetector
from detect_secrets.transformers import get_transformed_file
from detect_secrets.types import NamedIO

from devtools.git_files import tracked_files
from driftline.http import tokens
from stack import paths
from stack.console import fail, say

NOT_SECRETS = Path(__file__).with_name("not_secrets.toml")
FOUND = 1
BINARY = b"\0"
CHUNK = 1 << 20
"""Bytes read at once when values are looked for."""


class GoogleKeyDetector(RegexBasedDetector):
    """Google's API keys and access tokens; a service account's key file is found as the private key that it holds."""

    secret_type = "Google API key or token"  # noqa: S105  # its name
    denylist = (re.compile(r"\bAIza[0-9A-Za-z_-]{35}\b"), re.compile(r"\bya29\.[0-9A-Za-z_-]{20,}"))


class EnvironmentDetector(RegexBasedDetector):
    """A password or token that is set as an environment variable, in whatever kind of file."""

    secret_type = "Variable with a secret"  # noqa: S105  # its name
    denylist = (re.compile(r"\b[A-Z_]*(?:PASSWORD|PASSWD|SECRET|TOKEN|API_KEY)=['\"]?([^\s'\"$<{(…*.]{6,})"),)


class TokenDetector(RegexBasedDetector):
    """A token of Driftline's own services."""

    secret_type = "Driftline token"  # noqa: S105  # its name
    denylist = (re.compile(tokens.PATTERN),)


DETECTORS: tuple[BasePlugin, ...] = (
    AWSKeyDetector(),
    AzureStorageKeyDetector(),
    Base64HighEntropyString(limit=4.5),
    BasicAuthDetector(),
    EnvironmentDetector(),
    GitHubTokenDetector(),
    GitLabTokenDetector(),
    GoogleKeyDetector(),
    HexHighEntropyString(limit=3.0),
    JwtTokenDetector(),
    KeywordDetector(),
    NpmDetector(),
    PrivateKeyDetector(),
    PypiTokenDetector(),
    SlackDetector(),
    StripeDetector(),
    TokenDetector(),
)
PLACEHOLDER = re.compile(r"^PASSWORD$|\$\{\{")
"""A word in an address's form; what a workflow puts in (`${{ … }}`)."""
HARMLESS: tuple[Callable[[str], object], ...] = (
    heuristic.is_not_alphanumeric_string,
    heuristic.is_potential_uuid,
    heuristic.is_prefixed_with_dollar_sign,
    heuristic.is_sequential_string,
    heuristic.is_templated_secret,
    PLACEHOLDER.search,
)
"""What shows that a find is a placeholder or an id."""
WORDS = re.compile(r"[A-Za-z]+([ -][A-Za-z]+)*")
"""What a test may call a password of its own."""


@dataclass(frozen=True, order=True)
class Leak:
    """Something that looks like a secret: where it is, of which form, and its fingerprint, never the secret."""

    file: Path
    line: int
    form: str
    fingerprint: str

    def __str__(self) -> str:
        """One line for the terminal."""
        return f"{self.file}:{self.line}: {self.form} ({self.fingerprint})"


@dataclass(frozen=True)
class NotSecret:
    """An entry of `not_secrets.toml`: what looks like a secret in a file, and why it is none."""

    file: Path
    fingerprint: str
    why: str


def leaks(files: Iterable[Path]) -> Iterator[Leak]:
    """Find what looks like a secret in text files; binary ones (a zero byte at their beginning) are passed over."""
    for file in files:
        content = file.read_bytes()
        if BINARY not in content[:8000]:
            yield from sorted(set(_leaks_in(file, content.decode("utf-8", errors="replace"))))


def fingerprint(secret: str) -> str:
    """Give what may be shown of a secret: 16 digits of its SHA-256."""
    return f"sha256:{hashlib.sha256(secret.encode()).hexdigest()[:16]}"


def files_with(values: Iterable[str], files: Iterable[Path]) -> list[tuple[Path, int]]:
    """Find known secrets by value in files of any kind: the file, and the number of the value in `values`."""
    wanted = [value.encode() for value in values]
    if not all(wanted):
        raise ValueError("an empty value is in every file")
    return [(file, number) for file in files for number in sorted(_values_in(file, wanted))]


def files_below(*places: Path) -> list[Path]:
    """Every regular file below folders, and the files that are named themselves; no link is followed."""
    found = (file for place in places for file in (place.rglob("*") if place.is_dir() else (place,)))
    return sorted(file for file in found if file.is_file() and not file.is_symlink())


def not_secrets() -> list[NotSecret]:
    """The audited entries."""
    entries = tomllib.loads(NOT_SECRETS.read_text())["not_secret"]
    return [NotSecret(Path(entry["file"]), entry["fingerprint"], entry["why"]) for entry in entries]


def leaks_of_tree() -> tuple[list[Leak], list[NotSecret]]:
    """The tracked tree's leaks without the audited ones, and the audited entries that nothing needs any more."""
    audited = {(entry.file, entry.fingerprint): entry for entry in not_secrets()}
    found = [_within_tree(leak) for leak in leaks(tracked_files())]
    seen = {(leak.file, leak.fingerprint) for leak in found}
    stale = [entry for key, entry in audited.items() if key not in seen]
    return [leak for leak in found if (leak.file, leak.fingerprint) not in audited], stale


def main(arguments: list[str] | None = None) -> int:
    """Look through the tree or the named places; exit status 1 if something was found."""
    parser = argparse.ArgumentParser(prog="python -m devtools.leaks", description=__doc__.partition("\n")[0])
    parser.add_argument("places", nargs="*", type=Path, help="files and folders; none: what git tracks")
    places: list[Path] = parser.parse_args(arguments).places
    found, stale = (list(leaks(files_below(*places))), []) if places else leaks_of_tree()
    for leak in found:
        fail(str(leak))
    for entry in stale:
        fail(f"{entry.file}: what {NOT_SECRETS.name} says of it ({entry.why}) is not there any more; remove the entry.")
    if found:
        fail(f"Take them out and change them where they are in use; if one is none, say why in {NOT_SECRETS.name}.")
    elif not stale:
        say("No secrets found.")
    return FOUND if found or stale else 0


def _leaks_in(file: Path, text: str) -> Iterator[Leak]:
    for number, line in enumerate(_lines(file, text), 1):
        for detector in DETECTORS:
            for found in detector.analyze_line(filename=str(file), line=line, line_number=number):
                value = found.secret_value or ""
                if not _is_harmless(file, detector, value):
                    yield Leak(file, number, detector.secret_type, fingerprint(value))


def _is_harmless(file: Path, detector: BasePlugin, value: str) -> bool:
    spoken = isinstance(detector, KeywordDetector) and "tests" in file.parts and WORDS.fullmatch(value)
    return bool(spoken) or any(is_harmless(value) for is_harmless in HARMLESS)


def _lines(file: Path, text: str) -> list[str]:
    """The lines as detect-secrets wants them: YAML and INI with their values in quotes."""
    opened = StringIO(text)
    opened.name = str(file)  # it tells the kind of file
    return get_transformed_file(cast("NamedIO", opened)) or text.splitlines()


def _values_in(file: Path, wanted: list[bytes]) -> set[int]:
    overlap, tail, found = max(map(len, wanted), default=1) - 1, b"", set[int]()
    with file.open("rb") as opened:
        while chunk := opened.read(CHUNK):
            window = tail + chunk
            found |= {number for number, value in enumerate(wanted) if value in window}
            tail = window[-overlap:] if overlap else b""
    return found


def _within_tree(leak: Leak) -> Leak:
    return replace(leak, file=leak.file.relative_to(paths.ROOT))


if __name__ == "__main__":
    sys.exit(main())
