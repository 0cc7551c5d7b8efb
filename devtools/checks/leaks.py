"""Finds secrets in files: by their form (keys, tokens, passwords beside their name), or by value if it is known.

`python -m devtools.checks.leaks` scans what git tracks, and with `PATH…` other files and folders. False
positives are listed in `not_secrets.toml`, each with a reason. A secret is never printed.

The detectors are those of detect-secrets; its own scan stops reading a file at the first byte that is not UTF-8.
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
from driftline.http.authorization import tokens
from stack import paths
from stack.console import print_error, print_line

TESTS = paths.ROOT / "tests"
"""Where a password may be plain words."""
NOT_SECRETS = Path(__file__).with_name("not_secrets.toml")
LEAKS_FOUND = 1
BINARY = b"\0"


class GoogleKeyDetector(RegexBasedDetector):
    """Google's API keys and access tokens; a key file of a service account is detected by its private key."""

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
"""The placeholder of an address; an expression of a workflow (`${{ … }}`)."""
HARMLESS: tuple[Callable[[str], object], ...] = (
    heuristic.is_not_alphanumeric_string,
    heuristic.is_potential_uuid,
    heuristic.is_prefixed_with_dollar_sign,
    heuristic.is_sequential_string,
    heuristic.is_templated_secret,
    PLACEHOLDER.search,
)
"""Checks that recognize placeholders and ids."""
WORDS = re.compile(r"[A-Za-z]+([ -][A-Za-z]+)*")
"""The form of passwords in tests: plain words."""


@dataclass(frozen=True, order=True)
class Leak:
    """A suspected secret: its place, its form, and its fingerprint, but never its value."""

    file: Path
    line: int
    form: str
    fingerprint: str

    def __str__(self) -> str:
        """One line for the terminal."""
        return f"{self.file}:{self.line}: {self.form} ({self.fingerprint})"


@dataclass(frozen=True)
class NotSecret:
    """An entry of `not_secrets.toml`: a false positive in a file, and the reason."""

    file: Path
    fingerprint: str
    why: str


def leaks(files: Iterable[Path]) -> Iterator[Leak]:
    """Yield the suspected secrets of text files; binary files (a zero byte at their beginning) are skipped."""
    for file in files:
        content = file.read_bytes()
        if BINARY not in content[:8000]:
            yield from sorted(set(_leaks_in(file, content.decode("utf-8", errors="replace"))))


def fingerprint(secret: str) -> str:
    """Return what may be shown of a secret: 16 digits of its SHA-256."""
    return f"sha256:{hashlib.sha256(secret.encode()).hexdigest()[:16]}"


def files_below(*places: Path) -> list[Path]:
    """Return the given files and every regular file below the given folders; links are not followed."""
    files = (file for place in places for file in (place.rglob("*") if place.is_dir() else (place,)))
    return sorted(file for file in files if file.is_file() and not file.is_symlink())


def not_secrets() -> list[NotSecret]:
    """Return the entries of `not_secrets.toml`."""
    entries = tomllib.loads(NOT_SECRETS.read_text())["not_secret"]
    return [NotSecret(Path(entry["file"]), entry["fingerprint"], entry["why"]) for entry in entries]


def leaks_of_tree() -> tuple[list[Leak], list[NotSecret]]:
    """Return the leaks in tracked files that have no entry, and the entries that match no leak."""
    audited = {(entry.file, entry.fingerprint): entry for entry in not_secrets()}
    found_leaks = [_within_tree(leak) for leak in leaks(tracked_files())]
    keys = {(leak.file, leak.fingerprint) for leak in found_leaks}
    stale = [entry for key, entry in audited.items() if key not in keys]
    return [leak for leak in found_leaks if (leak.file, leak.fingerprint) not in audited], stale


def main(arguments: list[str] | None = None) -> int:
    """Scan the checkout or the given paths; the exit status is 1 if there are leaks or unused entries."""
    parser = argparse.ArgumentParser(prog="python -m devtools.checks.leaks", description=__doc__.partition("\n")[0])
    parser.add_argument("places", nargs="*", type=Path, help="files and folders (default: what git tracks)")
    places: list[Path] = parser.parse_args(arguments).places
    suspected, stale = (list(leaks(files_below(*places))), []) if places else leaks_of_tree()
    for leak in suspected:
        print_error(str(leak))
    for entry in stale:
        print_error(f"{NOT_SECRETS.name} has an entry for {entry.file} ({entry.why}) that matches nothing; remove it.")
    if suspected:
        print_error(
            f"Remove each secret and change it where it is used; explain false positives in {NOT_SECRETS.name}."
        )
    elif not stale:
        print_line("No secrets found.")
    return LEAKS_FOUND if suspected or stale else 0


def _leaks_in(file: Path, text: str) -> Iterator[Leak]:
    for number, line in enumerate(_lines(file, text), 1):
        for detector in DETECTORS:
            for match in detector.analyze_line(filename=str(file), line=line, line_number=number):
                value = match.secret_value or ""
                if not _is_harmless(file, detector, value):
                    yield Leak(file, number, detector.secret_type, fingerprint(value))


def _is_harmless(file: Path, detector: BasePlugin, value: str) -> bool:
    is_test = file.resolve().is_relative_to(TESTS)
    is_test_password = isinstance(detector, KeywordDetector) and is_test and WORDS.fullmatch(value)
    return bool(is_test_password) or any(is_harmless(value) for is_harmless in HARMLESS)


def _lines(file: Path, text: str) -> list[str]:
    """Return the lines as detect-secrets expects them: YAML and INI with their values in quotes."""
    opened = StringIO(text)
    opened.name = str(file)  # detect-secrets takes the kind of file from it
    return get_transformed_file(cast("NamedIO", opened)) or text.splitlines()


def _within_tree(leak: Leak) -> Leak:
    return replace(leak, file=leak.file.relative_to(paths.ROOT))


if __name__ == "__main__":
    sys.exit(main())
