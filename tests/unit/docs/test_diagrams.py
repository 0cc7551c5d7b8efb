"""The diagrams name what the code defines, and the pictures belong to their sources."""

import json
import re
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Table

from churn import tables as churn_tables
from churn import views
from churn.columns import FEATURES, TRAILING_DAYS, Topic
from devtools.documentation import diagrams
from driftline.engine.spec import Spec
from driftline.engine.verdicts.drift_rule import LASTING, WINDOW
from driftline.settings import DatabaseSettings
from driftline.store.polling.pending_chunks import FIRST_RETRY_DELAY
from driftline.store.tables import metadata
from eda.records import CHUNK_ROWS
from flaskapp.relay.claimed_batches import MOST_BATCHES
from flaskapp.settings import SimulatorSettings
from monitoring.settings import MonitorSettings
from stack.demo.plan import Scenario
from stack.servers.topics import TOPICS
from stack.services.accounts import ACCOUNTS
from stack.services.local import PROCESSES
from stack.services.site import DEFAULT_PORTS
from tests.unit.docs.drawings import SOURCES, drawn, files, names_of_code, text, words
from tests.unit.docs.pages import PAGES, README, ROOT, ROUTES, SETTINGS, spans, table

GALLERY = diagrams.FOLDER / "README.md"
STEPS = ("database", "streaming-ingestion", "eda", "preparation", "model", "monitoring", "docker-architecture")
EVERY = [pytest.param(name, id=name) for name in SOURCES]
SCHEMAS = {DatabaseSettings.model_fields["name"].default, f"{DatabaseSettings.model_fields['name'].default}_truth"}


@dataclass(frozen=True)
class Entity:
    """A drawn table: the columns above and below its line."""

    key: tuple[str, ...]
    others: tuple[str, ...]


def entities() -> dict[str, Entity]:
    drawn_tables = {}
    for name, body in re.findall(r"^ *entity (\w+) <<\w+>> \{\n(.*?)^ *\}", text("tables"), re.MULTILINE | re.DOTALL):
        above, _, below = body.partition("--\n")
        drawn_tables[name] = Entity(tuple(above.split()), tuple(below.split()))
    return drawn_tables


def tables_of_code() -> dict[str, Table]:
    created = (metadata, churn_tables.metadata, churn_tables.truth_metadata)
    tables = [table for each in created for table in each.tables.values()]
    return {table.name: table for table in tables}


def test_every_table_is_drawn() -> None:
    assert {*entities()} == {*tables_of_code(), views.MODEL_PREDICTIONS}


@pytest.mark.parametrize("name", sorted(tables_of_code()))
def test_a_tables_key_and_columns_are_those_drawn(name: str) -> None:
    table, entity = tables_of_code()[name], entities()[name]
    assert entity.key == tuple(column.name for column in table.primary_key)
    assert [column for column in entity.others if column not in table.c] == []


def test_the_views_columns_are_those_drawn() -> None:
    columns = {column.name for column in views.model_predictions().selected_columns}
    assert {*entities()[views.MODEL_PREDICTIONS].key} <= columns


def test_every_arrow_joins_two_tables() -> None:
    arrows = re.findall(r"^(\w+) \S*(?:-|\.)\S* (\w+)", text("tables"), re.MULTILINE)
    assert len(arrows) > 10
    assert {end for arrow in arrows for end in arrow} - {*entities()} == set()


def test_the_picture_of_the_database_names_every_table_and_account() -> None:
    assert [name for name in entities() if not re.search(rf"\b{name}\b", drawn("database"))] == []
    assert {*re.findall(r"\bdriftline_\w+", drawn("database"))} == {*ACCOUNTS}


@pytest.mark.parametrize("name", EVERY)
def test_every_name_is_one_of_the_code(name: str) -> None:
    settings = {span.partition("=")[0] for names, *_ in table(SETTINGS, "Settings") for span in spans(names)}
    defined = names_of_code() | {*tables_of_code()} | {*ACCOUNTS} | SCHEMAS | settings
    assert sorted(words(name) - defined) == []


@pytest.mark.parametrize("name", EVERY)
def test_every_named_file_exists_or_is_written_by_the_code(name: str) -> None:
    defined = names_of_code()
    assert [file for file in sorted(files(name)) if file not in defined and file.partition(".")[0] not in defined] == []


@pytest.mark.parametrize("name", EVERY)
def test_every_named_folder_exists_or_is_created(name: str) -> None:
    paths = re.findall(
        r"(?<![\w/.])((?:flaskapp|eda|pyspark|monitoring|serving|stack|var)/[\w/-]*)(?![\w.]*\.)", drawn(name)
    )
    made_at_run_time = {"var/objects", "var/objects/prepared", "eda/output", "monitoring/output"}
    assert [path for path in paths if not (ROOT / path).exists() and path.rstrip("/") not in made_at_run_time] == []


@pytest.mark.parametrize("name", EVERY)
def test_every_topic_port_and_route_is_one_of_the_code(name: str) -> None:
    routes = {span.split()[1] for _, cell, *_ in table(ROUTES, "Routes") for span in spans(cell)}
    assert {*re.findall(r"\bcdr-[a-z-]+", drawn(name))} <= {*Topic}
    assert {int(port) for port in re.findall(r":(\d{4,5})\b", drawn(name))} <= {*DEFAULT_PORTS.values(), 3306}
    assert {*re.findall(r"(?:GET|POST|or) (/\S+)", drawn(name))} <= routes


def test_every_topic_port_and_service_of_the_local_stack_is_drawn() -> None:
    local = drawn("containers-local")
    assert {new.topic for new in TOPICS} == {*Topic}
    assert [topic for topic in Topic if topic not in local] == []
    assert {int(port) for port in re.findall(r":(\d{4})\b", local)} == {*DEFAULT_PORTS.values()}
    assert [process.name for process in PROCESSES if process.name not in local.lower()] == []


def test_the_pages_name_existing_topics() -> None:
    texts = " ".join(page.read_text() for page in PAGES)
    assert {*re.findall(r"\bcdr-[a-z-]+", texts)} <= {*Topic}


@pytest.mark.parametrize("name", EVERY)
def test_a_diagram_has_its_files_name_the_style_and_a_title(name: str) -> None:
    source = SOURCES[name].read_text()
    assert source.startswith(f"@startuml {name}\n")
    assert source.endswith("@enduml\n")
    assert source.count("!include style.iuml\n") == 1
    assert re.search(r"^title \S", source, re.MULTILINE)
    assert "skinparam" not in source or name == "tables"


def training() -> dict[str, Any]:
    return dict(json.loads((ROOT / "pyspark" / "training.json").read_text()))


@pytest.mark.parametrize(
    ("name", "text_shown"),
    [
        ("poll-sequence", f"every {MonitorSettings.model_fields['poll_seconds'].default:g} s"),
        ("poll-sequence", f"retry_at in {FIRST_RETRY_DELAY.total_seconds():g} s"),
        ("relay-crash-and-recovery", f"up to {MOST_BATCHES} pending batches"),
        ("relay-crash-and-recovery", f"the id {SimulatorSettings.model_fields['transactional_id'].default}"),
        ("streaming-ingestion", f"{TOPICS[0].topic} ({TOPICS[0].num_partitions} partitions)"),
        ("containers-production", f"stream {Scenario().stream_days} days"),
        ("eda", f"in chunks of {CHUNK_ROWS:,}"),
        ("preparation", f"over the last {TRAILING_DAYS} days"),
        ("preparation", f"{len(FEATURES)} features"),
        ("model", f"validation: {training()['validation_share'] * 100:g} %"),
        ("model", f"reference: {training()['reference_share'] * 100:g} %"),
        ("model", f"{['no', 'one', 'two', 'three'][len(training()['candidates'])]} random forests"),
        ("model", f"({training()['label_delay_days']} days between"),
        ("monitoring", f"{Spec.model_fields['label_coverage'].default * 100:g} % in"),
        ("monitoring", f"({LASTING} of {WINDOW} days)"),
    ],
)
def test_a_number_in_a_diagram_is_that_of_the_code(name: str, text_shown: str) -> None:
    assert text_shown in " ".join(drawn(name).split())


def test_every_step_has_a_diagram() -> None:
    assert {*STEPS, "cloud-data"} <= {*SOURCES}


def test_the_pictures_are_those_of_their_sources() -> None:
    assert [source.name for source in diagrams.outdated()] == [], "run `make diagrams`, and look at what was drawn"
    assert diagrams.strays() == []


def test_the_gallery_shows_every_picture() -> None:
    pictures = re.findall(r"!\[[^\]]+\]\((rendered/[\w-]+\.svg)\)", GALLERY.read_text())
    assert pictures == list(dict.fromkeys(pictures))
    assert {*pictures} == {f"rendered/{name}.svg" for name in SOURCES}
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", GALLERY.read_text())
    assert [link for link in links if "://" not in link and not (GALLERY.parent / link).exists()] == []


def test_the_readme_shows_one() -> None:
    pictures = re.findall(r"!\[[^\]]+\]\(PlantUMLDiagrams/(rendered/[\w-]+\.svg)\)", README.read_text())
    assert [path for path in pictures if not (diagrams.FOLDER / path).exists()] == []
    assert pictures
