"""A headless Chromium that looks at pages as people do: both themes, three widths, and the rules of axe-core."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Page, Request, sync_playwright

from devtools.documentation.screenshot import OPTIONS, browser

WIDTHS = (390, 820, 1440)
"""A phone, a tablet and a wide screen, in pixels."""
HEIGHT = 900
SERIOUS = ("serious", "critical")
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"], "resultTypes": ["violations"]}
MOST_TABS = 120


@dataclass
class Visitor:
    """A page of the browser, and what went wrong on it: messages of the console, and requests to other machines."""

    page: Page
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._note_message)
        self.page.on("pageerror", lambda error: self.faults.append(f"{self.page.url}: {error}"))
        self.page.on("request", self._note_request)

    def look(self, url: str) -> list[str]:
        """Open a page and return what is wrong with it, and what went wrong before."""
        answer = self.page.goto(url)
        if answer is None or not answer.ok:
            return [f"{url}: {answer and answer.status}"]
        for theme in ("light", "dark"):
            self.page.emulate_media(color_scheme=theme)
            self.faults += [f"{url}, {theme}: {fault}" for fault in self._violations()]
        for width in WIDTHS:
            self.page.set_viewport_size({"width": width, "height": HEIGHT})
            needed = self.page.evaluate("document.documentElement.scrollWidth")
            if needed > width:
                self.faults.append(f"{url}: {needed} pixels are needed, {width} are there")
        return self.faults

    def focus_by_tab(self, words: str) -> None:
        """Press Tab until the element with some words has the focus."""
        for _ in range(MOST_TABS):
            self.page.keyboard.press("Tab")
            if self.page.evaluate("document.activeElement.textContent.trim()").startswith(words):
                return
        raise AssertionError(f"{self.page.url}: Tab does not reach {words!r}")

    def _violations(self) -> Iterator[str]:
        report: dict[str, Any] = self.page.evaluate("rules => axe.run(document, rules)", RULES) if self._axe() else {}
        for violation in report["violations"]:
            if violation["impact"] in SERIOUS:
                nodes = ", ".join(node["html"][:160] for node in violation["nodes"][:3])
                yield f"{violation['id']}: {violation['help']}: {nodes}"

    def _axe(self) -> bool:
        """Load axe-core into the page: the tests' own script, which the page's policy does not concern."""
        if not self.page.evaluate("typeof axe === 'object'"):
            self.page.evaluate((files("axe_playwright_python") / "axe.min.js").read_text())
        return True

    def _note_message(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.faults.append(f"{self.page.url}: {message.text}")

    def _note_request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in ("blob", "data") and address.hostname != "127.0.0.1":
            self.faults.append(f"{self.page.url} asks {request.url}")


@contextmanager
def visitor() -> Iterator[Visitor]:
    """Start a browser for as long as the context lasts."""
    with sync_playwright() as playwright:
        arguments = [*OPTIONS, "--no-sandbox"]
        started = playwright.chromium.launch(executable_path=browser(), args=arguments)
        try:
            yield Visitor(started.new_page(viewport={"width": WIDTHS[-1], "height": HEIGHT}))
        finally:
            started.close()
