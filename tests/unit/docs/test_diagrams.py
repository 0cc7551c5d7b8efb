"""The diagrams draw the tables, keys, topics and ports that the code has."""

import re
from dataclasses import dataclass

import pytest
from sqlalchemy import Table

from driftline import views
from driftline.columns import FEATURES, Topic
from driftline.engine.spec import ColumnSpec, ModelSpec
from driftline.tables import CHURN_NUMBER, metadata, predictions, predictions_staging, truth_metadata
from stack.site import DEFAULT_PORTS
from stack.topics import TOPICS
from tests.unit.docs.pages import PAGES, ROOT

FOLDER = ROOT / "PlantUMLDiagrams"
SOURCES = sorted(FOLDER.glob("*.puml"))


@dataclass(frozen=True)
class Entity:
    """A drawn table: what stands above and below its line."""

    key: tuple[str, ...]
    others: tuple[str, ...]


def drawn() -> dict[str, Entity]:
    text = (FOLDER / "tables.puml").read_text()
    entities = {}
    for name, body in re.findall(r"^ *entity (\w+)(?: <<view>>)? \{\n(.*?)^ *\}", text, re.MULTILINE | re.DOTALL):
        above, _, below = body.partition("--\n")
        entities[name] = Entity(tuple(above.split()), tuple(below.split()))
    return entities


def tables_of_code() -> dict[str, Table]:
    spec = ModelSpec(columns=tuple(ColumnSpec(name=name) for name in FEATURES))
    own = (predictions(CHURN_NUMBER, spec), predictions_staging(CHURN_NUMBER, spec))
    return {table.name: table for table in (*metadata.tables.values(), *truth_metadata.tables.values(), *own)}


def test_every_table_is_drawn() -> None:
    assert {*drawn()} == {*tables_of_code(), views.MODEL_PREDICTIONS}


@pytest.mark.parametrize("name", sorted(tables_of_code()))
def test_a_tables_key_and_columns_are_those_drawn(name: str) -> None:
    table, entity = tables_of_code()[name], drawn()[name]
    assert entity.key == tuple(column.name for column in table.primary_key)
    assert [column for column in entity.others if column not in table.c] == []


def test_the_views_columns_are_those_drawn() -> None:
    columns = {column.name for column in views.model_predictions().selected_columns}
    assert {*drawn()[views.MODEL_PREDICTIONS].key} <= columns


def test_every_arrow_joins_two_tables() -> None:
    text = (FOLDER / "tables.puml").read_text()
    arrows = re.findall(r"^(\w+) \S*(?:--|\.\.)\S* (\w+)", text, re.MULTILINE)
    assert len(arrows) > 10
    assert {end for arrow in arrows for end in arrow} - {*drawn()} == set()


def test_the_topics_named_are_those_there_are() -> None:
    assert {new.topic for new in TOPICS} == {*Topic}
    containers = (FOLDER / "containers.puml").read_text()
    assert [topic for topic in Topic if topic not in containers] == []
    texts = " ".join(page.read_text() for page in (*PAGES, *SOURCES))
    assert {*re.findall(r"\bcdr-[a-z-]+", texts)} <= {*Topic}


def test_the_ports_drawn_are_the_usual_ones() -> None:
    ports = {int(port) for port in re.findall(r":(\d{4})\b", (FOLDER / "containers.puml").read_text())}
    assert ports == {*DEFAULT_PORTS.values()}


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_a_diagram_is_named_as_its_file(source: object) -> None:
    text = (FOLDER / f"{getattr(source, 'stem', '')}.puml").read_text()
    assert text.startswith(f"@startuml {getattr(source, 'stem', '')}\n")
    assert text.endswith("@enduml\n")
