"""The controls of pages: what a browser finds on each page it opens, and what a person does with it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urljoin, urlsplit

from playwright.sync_api import Page
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import Map

ANYWHERE = "every page"
"""The page of what stands in the frame of every page: its header, its footer and the note about newer results."""
SCRIPT = """
(() => {
  const ANY = "button, input:not([type=hidden]), select, textarea, summary, a[href], [data-chart]";
  const sentBy = (form, button) => [
    (button?.getAttribute("formmethod") ?? form.method).toUpperCase(),
    new URL(button?.getAttribute("formaction") ?? form.action, location.href).pathname,
  ];
  const linked = (link) => {
    const url = new URL(link.href instanceof SVGAnimatedString ? link.href.baseVal : link.href, location.href);
    if (url.origin !== location.origin) return ["link", "", "another site"];
    if (link.closest(".heatmap")) return ["cell", "", "heat map"];
    if (link.closest("svg[data-columns]")) return ["cell", "", "strip"];
    if (link.rel === "next" || link.rel === "prev") return ["paging", "", link.rel];
    if (url.hash && url.pathname === location.pathname && url.search === location.search)
      return [document.getElementById(url.hash.slice(1)) ? "anchor" : "broken anchor", "", url.hash];
    return ["link", "GET", url.pathname + url.search];
  };
  const describe = (element) => {
    const place = element.closest("header.top, footer, #news, .skip") ? "frame" : "page";
    if (element.matches("summary")) return [place, "summary", "", ""];
    if (element.matches("a")) return [place, ...linked(element)];
    if (element.matches("[data-chart]")) return Number(element.dataset.chart) < 0 ? null : [place, "chart", "", ""];
    const button = element.matches("button");
    if (!element.form) return [place, "button", "", element.textContent.trim()];
    const [method, path] = sentBy(element.form, button ? element : null);
    return [place, button ? "button" : "field", method, path, element.name];
  };
  const tell = (what, elements) => {
    const controls = [...elements].map(describe).filter((control) => control !== null);
    if (controls.length) reportControls(what, location.href, controls.map((control) => control.join("\\n")));
  };
  const act = (kinds) => (event) => {
    const element = event.target instanceof Element && event.target.closest(ANY);
    if (element && element.matches(kinds)) tell("used", [element]);
  };
  addEventListener("load", () => tell("seen", document.querySelectorAll(ANY)));
  addEventListener("click", act("button, summary, a"), true);
  addEventListener("change", act("input, select, textarea"), true);
  addEventListener("input", act("input, select, textarea"), true);
  for (const name of ["pointermove", "keydown"]) addEventListener(name, act("[data-chart]"), true);
})();
"""


@dataclass(frozen=True, slots=True, order=True)
class Control:
    """A control by the rule of its page, its kind, and what it is or where it leads."""

    page: str
    kind: str
    target: str

    def __str__(self) -> str:
        return f"{self.page}: {self.kind} {self.target}".rstrip()


@dataclass
class Inventory:
    """The controls of every page that was opened, and those that were used.

    `rules` are the monitor's routes, and `others` the names of other services by their ports.
    """

    rules: Map
    others: Mapping[int, str]
    seen: set[Control] = field(default_factory=set)
    used: set[Control] = field(default_factory=set)
    pages: set[str] = field(default_factory=set)
    links: dict[tuple[str, ...], str] = field(default_factory=dict)
    """Where pages link to: an address for each rule of a page and the fields of its query."""

    def watch(self, page: Page) -> None:
        """Note what is on the pages that a browser opens from now on, and what is used."""
        page.expose_function("reportControls", self._report)
        page.add_init_script(SCRIPT)

    def forgotten(self, plain: Iterable[str] = ()) -> list[str]:
        """Return the controls that were not used, but for links to pages that were opened, and to `plain` targets."""
        navigation = {*self.pages, *plain}
        return [
            str(control)
            for control in sorted(self.seen - self.used)
            if control.kind != "anchor" and not (control.kind == "link" and control.target in navigation)
        ]

    def _report(self, what: str, address: str, controls: list[str]) -> None:
        """Take what the script tells about a page: its controls, or the one that was used."""
        page = self.others.get(urlsplit(address).port or 0) or self._rule(address, "GET")
        self.pages.add(page)
        for words in controls:
            place, kind, method, target, *name = words.split("\n")
            if method:
                path, target = target, self._rule(urljoin(address, target), method)
                if kind == "link" and place == "page":
                    self.links.setdefault((target, *sorted(parse_qs(urlsplit(path).query))), urljoin(address, path))
                elif kind != "link":
                    target = " ".join((method, target, *filter(None, name)))
            control = Control(ANYWHERE if place == "frame" else page, kind, target)
            (self.used if what == "used" else self.seen).add(control)

    def _rule(self, address: str, method: str) -> str:
        """Return the rule of an address, with a report's ending filled in."""
        url = urlsplit(address)
        service = self.others.get(url.port or 0)
        if service is not None:
            return f"{service} {url.path}"
        try:
            rule, values = self.rules.bind("").match(url.path, method, return_rule=True)
        except (NotFound, MethodNotAllowed):
            return f"no route: {method} {url.path}"
        return rule.rule.replace("<ending>", str(values.get("ending")))
