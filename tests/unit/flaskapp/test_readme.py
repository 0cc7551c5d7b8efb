"""The simulator's README names its routes, fields and variables, and the raw file's header, as they are."""

import re
from pathlib import Path

from churn.columns import CDR_FILE_COLUMNS
from driftline.http import web
from flaskapp.routes import add_routes
from flaskapp.settings import SimulatorSettings
from flaskapp.stream.request import StartStream
from flaskapp.stream.service import Streaming

FOLDER = Path(__file__).parents[3] / "flaskapp"
README = (FOLDER / "README.md").read_text()


def test_the_route_table_matches_the_app() -> None:
    app = web.make_app("test", "Test")
    web.install(app, lambda: None)
    add_routes(app, Streaming.__new__(Streaming))
    routes = {str(rule) for rule in app.url_map.iter_rules() if rule.endpoint != "static"}
    assert set(re.findall(r"`(?:GET|POST) (/\w+(?:\.json)?)`", README)) == routes


def test_the_field_table_matches_the_request() -> None:
    table = README.partition("| field of")[2].partition("\n\n")[0]
    rows = [row.split("|")[1] for row in table.splitlines()[2:]]
    assert set(re.findall(r"`(\w+)`", "".join(rows))) == set(StartStream.model_fields)


def test_the_variable_table_matches_the_settings() -> None:
    named = set(re.findall(r"SIMULATOR_\w+", README))
    assert named == {f"SIMULATOR_{name.upper()}" for name in SimulatorSettings.model_fields}


def test_the_raw_files_header_matches_the_columns() -> None:
    assert f"    {','.join(CDR_FILE_COLUMNS)}\n" in (FOLDER / "DataFile" / "README.md").read_text()
