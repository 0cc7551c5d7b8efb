"""The documentation site lists every page of docs/, and loads nothing from other hosts."""

from collections.abc import Iterator
from typing import Any

import yaml

from tests.unit.docs.pages import DOCS, ROOT, links

SITE: dict[str, Any] = yaml.safe_load((ROOT / "mkdocs.yml").read_text())


def listed(entries: list[Any]) -> Iterator[str]:
    """Yield the pages of a part of the navigation."""
    for entry in entries:
        if isinstance(entry, str):
            yield entry
        else:
            for value in entry.values():
                yield from [value] if isinstance(value, str) else listed(value)


def test_every_page_is_listed_once() -> None:
    pages = [path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")]
    examples = [path.relative_to(ROOT).as_posix() for path in ROOT.glob("examples/*/README.md")]
    added = ["pictures/README.md", "examples/README.md", *examples]
    assert sorted(listed(SITE["nav"])) == sorted([*pages, *added])


def test_the_home_page_links_to_every_page_but_the_decisions() -> None:
    linked = {link.partition("#")[0].removeprefix("../") for link in links(DOCS / "index.md")}
    pages = {page for page in listed(SITE["nav"]) if not page.startswith(("index", "pictures/", "decisions/0"))}
    assert sorted(pages - linked) == []


def test_the_site_loads_no_font_and_reports_to_nobody() -> None:
    assert SITE["theme"]["font"] is False
    assert SITE["plugins"] == ["search"]
    assert SITE["extra"] == {"generator": False}
    assert not {"repo_url", "extra_css", "extra_javascript"} & {*SITE}


def test_the_site_is_built_strictly_outside_of_the_tree() -> None:
    assert SITE["strict"] is True
    assert SITE["site_dir"] == "build/site"
