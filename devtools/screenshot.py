"""Takes the README's picture: `python -m devtools.screenshot`, which `make screenshot` calls.

A headless Chromium renders the report of a backtest whose last weeks have two injected faults; with a URL it renders
that page instead, such as the dashboard of a running demo. `docs/images/manifest.txt` records the picture's sum and
that of the report; a test fails when they no longer match.
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd
import requests

import driftline
from stack import paths
from stack.console import print_error, print_line
from stack.errors import StackError
from stack.setup import checksums

PICTURE = paths.ROOT / "docs" / "images" / "report.png"
MANIFEST = "manifest.txt"
REPORT = "report.html, without its digits"
"""What the manifest calls the report; digits may differ between versions of libraries."""
FAULTS_FROM = "2013-10-07"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WIDTH, HEIGHT = 1280, 900
SECONDS = 60
OPTIONS = (
    "--headless",
    "--disable-gpu",
    "--hide-scrollbars",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-color-profile=srgb",
)


class NotTaken(StackError):
    """The screenshot could not be taken."""


def browser() -> str | None:
    """Return the path of a Chromium, or None where none is installed."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def require_page(url: str) -> None:
    """Raise `NotTaken` unless the page answers with 200, since a browser would show its own error page."""
    try:
        status = requests.get(url, timeout=SECONDS).status_code
    except requests.RequestException as error:
        raise NotTaken(f"{url} does not answer; start the demo first: make demo.") from error
    if status != requests.codes.ok:
        raise NotTaken(f"{url} answers with status {status}; run the demo first: make demo.")


def capture(url: str, picture: Path, height: int = HEIGHT) -> None:
    """Write a PNG of a page, 1280 pixels wide, replacing the file only when the picture is complete.

    Raises `NotTaken` without a browser, and with the browser's message where it fails.
    """
    program = browser()
    if program is None:
        raise NotTaken(f"No browser found ({', '.join(BROWSERS)}); install one, for instance the package chromium.")
    with tempfile.TemporaryDirectory(prefix="driftline-screenshot-") as folder:
        page = Path(folder) / "page.png"
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        profile = f"--user-data-dir={folder}/profile"
        size = f"--window-size={WIDTH},{height}"
        command = [program, *OPTIONS, *sandbox, profile, size, f"--screenshot={page}", url]
        completed = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
        if completed.returncode or not page.exists():
            raise NotTaken(f"The browser took no picture of {url}:\n{completed.stderr.strip()[-500:]}")
        picture.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(page, partial := picture.with_suffix(".partial"))
        partial.replace(picture)


def write_report(page: Path) -> None:
    """Write the report of a backtest of the flights, in which two faults begin in October.

    Distances are in kilometers instead of miles, and scores belong to other flights of the same period.
    """
    flights = pd.read_csv(paths.ROOT / "docs" / "flights.csv.gz").astype({"distance": float})
    faulty = flights["departure"] >= FAULTS_FROM
    flights.loc[faulty, "distance"] *= 1.609
    flights.loc[faulty, "score"] = flights.loc[faulty, "score"].sample(frac=1.0, random_state=1).to_numpy()
    result = driftline.backtest(
        flights,
        timestamp="departure",
        label="late",
        score="score",
        reference_until="2013-04-29",
        chunk="1w",
        name="flights",
    )
    page.write_text(result.to_html(), encoding="utf-8")


def fingerprint() -> str:
    """Return the SHA-256 of the report's words, styles and shapes, whatever its digits."""
    with tempfile.TemporaryDirectory(prefix="driftline-report-") as folder:
        write_report(page := Path(folder) / "report.html")
        return hashlib.sha256(re.sub(r"\d+", "0", page.read_text(encoding="utf-8")).encode()).hexdigest()


def described(picture: Path = PICTURE) -> dict[str, str]:
    """Return what the manifest should record: the sums of the picture and of the report."""
    return {picture.name: checksums.sha256(picture), REPORT: fingerprint()}


def recorded(picture: Path = PICTURE) -> dict[str, str]:
    """Return what the manifest records, empty where there is none."""
    manifest = picture.parent / MANIFEST
    lines = manifest.read_text().splitlines() if manifest.exists() else []
    return {name: digest for digest, name in (line.split("  ", 1) for line in lines)}


def record(picture: Path = PICTURE) -> None:
    """Write the manifest: the picture shows the report as it is now."""
    lines = (f"{digest}  {name}\n" for name, digest in described(picture).items())
    (picture.parent / MANIFEST).write_text("".join(lines))


def main() -> int:
    """Take the picture; the exit status is 2 if that failed."""
    parser = argparse.ArgumentParser(prog="python -m devtools.screenshot", description="Take the README's picture.")
    parser.add_argument("url", nargs="?", help="page; by default the report of a backtest")
    parser.add_argument("file", nargs="?", type=Path, default=PICTURE, help="PNG file; by default the README's")
    parser.add_argument("--height", type=int, default=HEIGHT, help="height in pixels")
    options = parser.parse_args()
    try:
        if options.url:
            require_page(options.url)
            capture(options.url, options.file, options.height)
        else:
            with tempfile.TemporaryDirectory(prefix="driftline-report-") as folder:
                write_report(page := Path(folder) / "report.html")
                capture(page.as_uri(), options.file, options.height)
    except StackError as error:
        print_error(str(error))
        return 2
    if options.file.absolute() == PICTURE:
        record()
    print_line(f"Written: {options.file}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
