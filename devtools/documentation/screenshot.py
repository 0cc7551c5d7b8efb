"""Takes the README's picture: `python -m devtools.documentation.screenshot`, which `make screenshot` calls.

The end-to-end test renders the dashboard of its world with a headless Chromium into `build/screenshot`; this program
runs the test and copies the picture. `docs/images/manifest.txt` records the sums of the picture and of the page's
outline; the end-to-end test fails when the page has another outline than the picture. With `--all`, which `make
screenshots` passes, a picture of every other page is taken too. With a URL the program renders that page instead, such
as one of a running demo.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import requests

from devtools.documentation import page_outline
from stack import paths
from stack.console import print_error, print_line
from stack.errors import StackError
from stack.setup import checksums

PICTURE = paths.ROOT / "docs" / "images" / "dashboard.png"
MANIFEST = "manifest.txt"
OUTLINE = "outline of the page"
"""What the manifest calls the page's fingerprint."""
SCREENSHOTS = paths.BUILD / "screenshot"
TEST = "tests/e2e/test_picture.py"
ALL_PAGES = "DRIFTLINE_SCREENSHOTS"
"""The variable that tells the end-to-end test to take a picture of every page."""
PAGES: Mapping[str, tuple[str, int]] = {
    "overview": ("/", 460),
    "column": ("/models/churn/drift?column=M_Out_Call_Time&chunk={day}", 1300),
    "chunk": ("/models/churn/chunks/{day}", 700),
    "quality": ("/models/churn/quality", 1300),
    "spec": ("/models/churn/spec", 1300),
    "versions": ("/models/churn/versions", 900),
    "spec-edit": ("/models/churn/spec/edit", 1300),
    "compare": ("/models/churn/compare", 1500),
    "ingest": ("/models/churn/ingest", 900),
    "connect": ("/models/churn/connect", 900),
    "register": ("/register", 620),
    "incidents": ("/incidents", 500),
    "incident": ("/incidents/{incident}", 1300),
    "alerts": ("/alerts", 500),
}
"""The pages by the name of their picture, and its height in pixels."""
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
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-sync",
    "--metrics-recording-only",
    "--no-proxy-server",
    "--disable-features=MediaRouter,OptimizationHints",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--force-color-profile=srgb",
)
"""A browser that looks no host name up, not even its makers'."""


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


def capture_pages(site: str, day: str, folder: Path) -> None:
    """Write a picture of each page of a demo's monitor but the README's; `day` is the start of a chunk with drift."""
    incidents = requests.get(f"{site}/api/v1/incidents", timeout=SECONDS).json()["incidents"]
    for name, (page, height) in PAGES.items():
        url = site + page.format(day=day, incident=incidents[-1]["number"])
        require_page(url)
        capture(url, folder / f"{name}.png", height)


def outline_of(url: str, styles: tuple[str, ...]) -> str:
    """Return the fingerprint of a served page and of the style sheets that it uses."""
    page, *sheets = (requests.get(address, timeout=SECONDS).text for address in (url, *styles))
    return page_outline.fingerprint(page, sheets)


def recorded(picture: Path = PICTURE) -> dict[str, str]:
    """Return what the manifest records, empty where there is none."""
    manifest = picture.parent / MANIFEST
    lines = manifest.read_text().splitlines() if manifest.exists() else []
    return {name: digest for digest, name in (line.split("  ", 1) for line in lines)}


def record(picture: Path, outline: str) -> None:
    """Write the manifest beside a picture: the sums of the picture and of the page's outline."""
    sums = {picture.name: checksums.sha256(picture), OUTLINE: outline}
    (picture.parent / MANIFEST).write_text("".join(f"{digest}  {name}\n" for name, digest in sums.items()))


def publish(screenshots: Path = SCREENSHOTS, picture: Path = PICTURE) -> None:
    """Copy the pictures that the end-to-end test has taken, and the manifest of the README's."""
    for page in screenshots.glob("*.png"):
        shutil.copyfile(page, picture.with_name(page.name))
    record(picture, recorded(screenshots / picture.name)[OUTLINE])


def main() -> int:
    """Take the picture; the exit status is 2 if that failed."""
    parser = argparse.ArgumentParser(
        prog="python -m devtools.documentation.screenshot", description="Take the README's picture."
    )
    parser.add_argument("url", nargs="?", help="page; by default the dashboard of the end-to-end test's world")
    parser.add_argument("file", nargs="?", type=Path, default=SCREENSHOTS / "page.png", help="PNG file")
    parser.add_argument("--all", action="store_true", help="take a picture of every page")
    parser.add_argument("--height", type=int, default=HEIGHT, help="height in pixels")
    options = parser.parse_args()
    try:
        if options.url:
            require_page(options.url)
            capture(options.url, options.file, options.height)
            print_line(f"Written: {options.file}")
        else:
            _retake(all_pages=options.all)
            print_line(f"Written: {PICTURE}")
    except StackError as error:
        print_error(str(error))
        return 2
    return 0


def _retake(*, all_pages: bool) -> None:
    """Run the end-to-end test that takes the picture, which may fail since the page has changed, and publish it."""
    shutil.rmtree(SCREENSHOTS, ignore_errors=True)
    environment = os.environ | ({ALL_PAGES: "1"} if all_pages else {})
    subprocess.run((sys.executable, "-m", "pytest", "-q", TEST), cwd=paths.ROOT, env=environment, check=False)
    if not (SCREENSHOTS / MANIFEST).exists():
        raise NotTaken(f"The test {TEST} took no picture; its output says why.")
    publish()


if __name__ == "__main__":
    sys.exit(main())
