"""The library knows nothing of its example."""

import re
from pathlib import Path

import pytest

import driftline

LIBRARY = Path(driftline.__file__).parent
OF_THE_EXAMPLE = re.compile(
    r"\bDP_\w+|\bM_[A-Z]\w+|(?i:\b\w*(?:churn|cdr|msisdn)\w*)|\bProcessed_Data\w*|\bDailySummary\b"
)


@pytest.mark.slow
def test_no_module_of_the_library_names_anything_of_the_example() -> None:
    sources = [path for path in LIBRARY.rglob("*") if path.suffix in {".py", ".sql", ".html", ".mako", ".j2"}]
    assert len(sources) > 100
    names = {}
    for path in sources:
        if matches := sorted({*OF_THE_EXAMPLE.findall(path.read_text())}):
            names[str(path.relative_to(LIBRARY))] = matches
    assert names == {}
