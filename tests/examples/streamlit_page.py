"""Runs a page of Streamlit without a browser, and prints what it shows as JSON; for the Python that has Streamlit."""

import json
import sys
from pathlib import Path

from streamlit.testing.v1 import AppTest

SECONDS = 120


def shown(file: str) -> dict[str, object]:
    """Return titles, tables (a list of rows each), and exceptions of the page."""
    page = AppTest.from_file(str(Path(file).resolve()), default_timeout=SECONDS).run()
    return {
        "titles": [element.value for element in (*page.title, *page.header)],
        "captions": [element.value for element in page.caption],
        "tables": [json.loads(element.value.to_json(orient="records")) for element in page.dataframe],
        "exceptions": [element.value for element in page.exception],
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(shown(sys.argv[1])))
