"""Hooks of mkdocs for the documentation site: it adds diagrams and examples, and keeps links that lead out as text.

Pages are written for GitHub, where links may lead to any file of the repository. The site has the pages of docs/, the
diagrams, which appear in it as pictures/, and the page and the picture of each example. A test checks every link of the
repository itself.
"""

import posixpath
import re
from collections.abc import Callable
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = {"docs/": "", "PlantUMLDiagrams/": "pictures/", "examples/": "examples/"}
"""Folders of the repository, and where the site has them."""
ADDED = (
    "PlantUMLDiagrams/README.md",
    "PlantUMLDiagrams/rendered/*.svg",
    "examples/README.md",
    "examples/*/README.md",
    "examples/*/dashboard.png",
)
"""What the site has of the folders other than docs/."""
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the diagrams and the examples."""
    for path in sorted(path for pattern in ADDED for path in ROOT.glob(pattern)):
        name = site_path(path.relative_to(ROOT).as_posix())
        files.append(File.generated(config, str(name), abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point the links of a page to the site's own pages."""
    return rewrite_links(markdown, page.file.src_uri, lambda path: files.get_file_from_path(path) is not None)


def rewrite_links(markdown: str, page: str, is_published: Callable[[str], bool]) -> str:
    """Return a page with links relative to `page` in the site; a link that leads out of the site becomes its text."""
    folder = posixpath.dirname(_repository_path(page))

    def rewritten(match: re.Match[str]) -> str:
        mark, text, link = match.groups()
        path, hash_, anchor = link.partition("#")
        if "://" in link or not path:
            return match[0]
        target = site_path(posixpath.normpath(posixpath.join(folder, path)))
        if target is None or not is_published(target):
            return text
        return f"{mark}[{text}]({posixpath.relpath(target, posixpath.dirname(page) or '.')}{hash_}{anchor})"

    return LINK.sub(rewritten, markdown)


def _repository_path(page: str) -> str:
    """Return where the repository has a page of the site."""
    added = {name: folder for folder, name in FOLDERS.items() if name}
    return next(
        (page.replace(name, folder, 1) for name, folder in added.items() if page.startswith(name)), f"docs/{page}"
    )


def site_path(path: str) -> str | None:
    """Return where the site has a file of the repository, None where it has not."""
    return next((path.replace(folder, name, 1) for folder, name in FOLDERS.items() if path.startswith(folder)), None)
