"""Hooks of mkdocs for the documentation site: it adds the diagrams, and keeps links that lead out of the site as text.

Pages are written for GitHub, where links may lead to any file of the repository. The site has the pages of docs/ and
the diagrams, which appear in it as pictures/. A test checks every link of the repository itself.
"""

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = {"docs/": "", "PlantUMLDiagrams/": "pictures/"}
"""Folders of the repository, and where the site has them."""
PUBLISHED = {".md", ".svg", ".png", ".json"}
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the page of the diagrams and their pictures."""
    folder = ROOT / "PlantUMLDiagrams"
    for path in (folder / "README.md", *sorted((folder / "rendered").glob("*.svg"))):
        name = f"pictures/{path.relative_to(folder).as_posix()}"
        files.append(File.generated(config, name, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point the links of a page to the site's own pages."""
    return rewrite_links(markdown, page.file.src_uri)


def rewrite_links(markdown: str, page: str) -> str:
    """Return a page with links relative to `page` in the site; a link that leads out of the site becomes its text."""
    folder = posixpath.dirname(_repository_path(page))

    def rewritten(match: re.Match[str]) -> str:
        mark, text, link = match.groups()
        path, hash_, anchor = link.partition("#")
        if "://" in link or not path:
            return match[0]
        target = _site_path(posixpath.normpath(posixpath.join(folder, path)))
        if target is None or posixpath.splitext(target)[1] not in PUBLISHED:
            return text
        return f"{mark}[{text}]({posixpath.relpath(target, posixpath.dirname(page) or '.')}{hash_}{anchor})"

    return LINK.sub(rewritten, markdown)


def _repository_path(page: str) -> str:
    """Return where the repository has a page of the site."""
    within = FOLDERS["PlantUMLDiagrams/"]
    return f"PlantUMLDiagrams/{page.removeprefix(within)}" if page.startswith(within) else f"docs/{page}"


def _site_path(path: str) -> str | None:
    """Return where the site has a file of the repository, None where it has not."""
    return next((path.replace(folder, name, 1) for folder, name in FOLDERS.items() if path.startswith(folder)), None)
