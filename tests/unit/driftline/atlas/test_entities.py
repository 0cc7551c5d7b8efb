"""Entities are complete and refer to each other as Atlas documents it; an export is bounded and repeatable."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from driftline.atlas.catalog import CatalogedModel, ResultCoverage, RowSource
from driftline.atlas.entities import INPUTS, OUTPUTS, entities_of
from driftline.atlas.types import ATTRIBUTES, OF_MODEL, PROCESSES, AtlasType, type_definitions
from driftline.engine.spec import ColumnSpec, Spec
from driftline.store.versions.model_layout import ModelLayout
from driftline.store.versions.model_list import SpecRevision, VersionSummary
from driftline.store.versions.roles import Role

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SPEC = Spec(columns=(ColumnSpec(name="minutes"),))
INHERITED = {"qualifiedName", "name", "description", "owner"}


def version(number: int, details: Any = None) -> VersionSummary:
    revisions = tuple(SpecRevision(revision, SPEC, NOW) for revision in (1, 2))
    layout = ModelLayout.canonical(SPEC)
    role = Role.CHAMPION if number == 2 else None
    return VersionSummary(
        number, "ready", role, NOW, f"/references/{number}", f"hash{number}", layout, details, revisions
    )


@pytest.fixture
def exported() -> dict[str, Any]:
    """Two versions, of which the first has results, and rows of two senders."""
    sources = (
        RowSource("labels", "predict", None, 2, 20, NOW, NOW),
        RowSource("predictions", "shop", "application/json", 3, 300, NOW, NOW),
    )
    coverage = {1: ResultCoverage(9, 1, NOW, NOW, NOW, ("0.1.0",))}
    versions = (version(1), version(2, {"mlflow": {"run_id": "a-run", "tracking_uri": "http://mlflow"}}))
    return entities_of([CatalogedModel("m", "team", versions, sources, coverage)], "site")


def by_name(exported: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {entity["attributes"]["qualifiedName"].removesuffix("@site"): entity for entity in exported["entities"]}


def test_each_entity_fits_its_type_and_each_reference_its_entity(exported: dict[str, Any]) -> None:
    assert exported.keys() == {"referredEntities", "entities"}
    entities = exported["entities"]
    by_guid = {entity["guid"]: entity for entity in entities}
    assert len(by_guid) == len(by_name(exported)) == len(entities)
    types = {definition["name"]: definition for definition in type_definitions()["entityDefs"]}
    for entity in entities:
        assert entity["guid"].startswith("-")
        assert entity["attributes"].keys() <= INHERITED | ATTRIBUTES[entity["typeName"]].keys()
        assert entity["attributes"]["name"]
        relations = entity["relationshipAttributes"]
        is_process = types[entity["typeName"]]["superTypes"] == ["Process"]
        assert ({"inputs", "outputs"} == relations.keys()) is is_process
        expected = {"inputs": INPUTS, "outputs": OUTPUTS, "model": OF_MODEL}
        for name, related in relations.items():
            for reference in related if isinstance(related, list) else [related]:
                assert reference["relationshipType"] == expected[name]
                assert by_guid[reference["guid"]]["typeName"] == reference["typeName"]
                assert name == "model" or reference["typeName"] not in PROCESSES
    json.dumps(exported)


def test_results_lead_back_to_senders_and_training(exported: dict[str, Any]) -> None:
    entities = by_name(exported)
    names = {entity["guid"]: name for name, entity in entities.items()}

    def ends(process: str, side: str) -> list[str]:
        return [names[reference["guid"]] for reference in entities[process]["relationshipAttributes"][side]]

    assert ends("m/1.monitoring", "inputs") == ["m.predictions", "m.labels", "m/1.reference"]
    assert ends("m/1.monitoring", "outputs") == ["m/1.results"]
    assert ends("m.sources/predictions/shop/application/json/ingestion", "outputs") == ["m.predictions"]
    assert ends("m.sources/labels/predict/ingestion", "outputs") == ["m.labels"]
    assert ends("m/2.scoring", "outputs") == ["m.predictions"]
    assert ends("m/2.training", "outputs") == ["m/2", "m/2.reference"]
    assert entities["m/2.training"]["attributes"]["mlflowRun"] == "a-run"
    assert "m/2.results" not in entities
    attributes = entities["m/2"]["attributes"]
    assert (attributes["role"], attributes["specRevision"], attributes["owner"]) == ("champion", 2, "team")
    assert attributes["registeredAt"] == NOW.timestamp() * 1000
    assert entities["m.sources/predictions/shop/application/json"]["attributes"]["rows"] == 300


def test_the_types_have_what_atlas_requires_of_them() -> None:
    definitions = type_definitions()
    assert {definition["name"] for definition in definitions["entityDefs"]} == {*AtlasType}
    for definition in definitions["entityDefs"]:
        for attribute in definition["attributeDefs"]:
            assert {"name", "typeName", "cardinality", "isOptional", "isUnique", "isIndexable"} == attribute.keys()
            assert attribute["name"] not in INHERITED
    (relationship,) = definitions["relationshipDefs"]
    assert relationship["relationshipCategory"] == "COMPOSITION"
    assert [relationship[end]["isContainer"] for end in ("endDef1", "endDef2")] == [True, False]
