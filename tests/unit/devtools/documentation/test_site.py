"""Links of the documentation lead to pages of the site, or become text where the site has no such page."""

import pytest

pytest.importorskip("mkdocs")

from devtools.documentation.site import rewrite_links

PUBLISHED = {
    "tutorial.md",
    "threat-model.md",
    "how-to/cloud-data.md",
    "pictures/README.md",
    "pictures/rendered/model.svg",
    "examples/ecg/README.md",
    "examples/ecg/dashboard.png",
}


@pytest.mark.parametrize(
    ("page", "source", "expected"),
    [
        ("index.md", "[the system](../PlantUMLDiagrams/README.md)", "[the system](pictures/README.md)"),
        ("index.md", "[tutorial](tutorial.md#install)", "[tutorial](tutorial.md#install)"),
        ("how-to/security.md", "[rules](../../CONTRIBUTING.md)", "rules"),
        ("how-to/security.md", "[rights](../../stack/services/grants.sql)", "rights"),
        ("how-to/security.md", "[threats](../threat-model.md)", "[threats](../threat-model.md)"),
        ("pictures/README.md", "[how to](../docs/how-to/cloud-data.md)", "[how to](../how-to/cloud-data.md)"),
        ("pictures/README.md", "![one day](rendered/model.svg)", "![one day](rendered/model.svg)"),
        ("pictures/README.md", "all share [style.iuml](style.iuml)", "all share style.iuml"),
        ("index.md", "[heartbeats](../examples/ecg/README.md)", "[heartbeats](examples/ecg/README.md)"),
        ("examples/ecg/README.md", "![the dashboard](dashboard.png)", "![the dashboard](dashboard.png)"),
        ("examples/ecg/README.md", "[how to](../../docs/how-to/cloud-data.md)", "[how to](../../how-to/cloud-data.md)"),
        ("examples/ecg/README.md", "[the record](record/README.md)", "the record"),
        ("examples/ecg/README.md", "[flow.py](training/flow.py)", "flow.py"),
        ("index.md", "[elsewhere](https://example.org/a.md)", "[elsewhere](https://example.org/a.md)"),
        ("index.md", "[below](#learn)", "[below](#learn)"),
    ],
)
def test_links_are_rewritten_for_the_site(page: str, source: str, expected: str) -> None:
    assert rewrite_links(source, page, PUBLISHED.__contains__) == expected
