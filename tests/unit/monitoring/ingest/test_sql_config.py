"""The file of sources: every fault is named, with its place."""

import re
from pathlib import Path

import pytest
import yaml

from driftline.errors import InvalidInput
from monitoring.ingest.sql_config import Contents, SqlSourceConfig, read_file, sources_of
from stack import paths

MINIMAL = {"name": "scores", "model": "churn", "table": "scores", "key": "id", "time": "scored_at"}


def test_a_source_has_defaults(tmp_path: Path) -> None:
    path = tmp_path / "sources.yaml"
    path.write_text(
        "sources:\n- {name: a, model: m, table: shop.t, key: id, time: at}\n"
        "- name: b\n  model: m\n  rows: both\n  key: [day, customer]\n  time: at\n  updated_at: changed\n"
        "  query: |\n    SELECT 1\n"
    )
    first, second = read_file(path)
    assert (first.rows, first.key, first.position, first.batch_rows) == (Contents.PREDICTIONS, ("id",), "at", 5_000)
    assert (second.key, second.position, second.known_since) == (("day", "customer"), "changed", "changed")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"query": "SELECT 1"}, "either a table or a query"),
        ({"table": None}, "either a table or a query"),
        ({"time": None}, "column of the event time"),
        ({"rows": "labels", "time": None}, "as time or as updated_at"),
        ({"rows": "both"}, "labels that become known later are not seen"),
        ({"time_zone": "Mars"}, "'Mars' is not a time zone"),
        ({"name": "a/b"}, "name: 'a/b' does not match the pattern ^[A-Za-z0-9]"),
        ({"key": []}, "key: too few items; write at least 1"),
        ({"colums": {}}, "colums: unknown field; remove it or correct its name"),
        ({"batch_rows": 0}, "batch_rows: 0 is out of range; write 1 or more"),
        ({"time_zone": 5}, "5 is not a time zone"),
    ],
)
def test_a_faulty_source_is_named(change: dict[str, object], fault: str) -> None:
    with pytest.raises(InvalidInput) as error:
        sources_of({"sources": [MINIMAL | change]}, "sources.yaml")
    assert fault in str(error.value)
    assert "sources.0" in str(error.value)


def test_all_faults_of_all_sources_are_listed() -> None:
    faulty = {"name": "b", "model": "m", "rows": "both", "table": "t", "query": "q", "key": "id"}
    with pytest.raises(InvalidInput) as error:
        sources_of({"sources": [MINIMAL | {"batch_rows": "many", "version": 0}, faulty]}, "sources.yaml")
    assert [fault.split(": ")[0] for fault in error.value.details] == [
        "sources.0.version", "sources.0.batch_rows", "sources.1", "sources.1", "sources.1",
    ]  # fmt: skip


@pytest.mark.parametrize("content", [None, [], {"sources": []}, {"sources": 5}, "text"])
def test_a_file_without_sources_is_refused(content: object) -> None:
    with pytest.raises(InvalidInput, match=r"sources\.yaml is not valid"):
        sources_of(content, "sources.yaml")


def test_the_file_of_the_how_to_is_valid() -> None:
    page = (paths.ROOT / "docs" / "how-to" / "ingest-from-sql.md").read_text()
    (block,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    scores, labels = sources_of(yaml.safe_load(block), "sources.yaml")
    assert (scores.position, labels.position) == ("changed_at", "left_at")
    documented = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| `.*", page, re.MULTILINE))))
    assert {*SqlSourceConfig.model_fields} - documented == {"name", "model", "table", "query", "rows"}


def test_names_are_unique() -> None:
    with pytest.raises(InvalidInput, match="several sources of the name 'scores'"):
        sources_of({"sources": [MINIMAL, MINIMAL]}, "sources.yaml")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("sources: [")
    for name in ("a.yaml", "missing.yaml"):
        with pytest.raises(InvalidInput, match=f"{name} cannot be read"):
            read_file(tmp_path / name)
