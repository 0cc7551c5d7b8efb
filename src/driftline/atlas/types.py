"""The types of the entities, as Atlas takes them at `POST /api/atlas/v2/types/typedefs`. No I/O here."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

TYPE_VERSION = "1.0"
OF_MODEL = "driftline_model_version_of"
"""The relationship of a version to its model."""


class AtlasType(StrEnum):
    """The types of entities: datasets, and the processes between them."""

    MODEL = "driftline_model"
    VERSION = "driftline_model_version"
    REFERENCE = "driftline_reference"
    SOURCE = "driftline_source"
    ROWS = "driftline_rows"
    RESULTS = "driftline_results"
    TRAINING = "driftline_training"
    SCORING = "driftline_scoring"
    INGESTION = "driftline_ingestion"
    MONITORING = "driftline_monitoring"


PROCESSES = (AtlasType.TRAINING, AtlasType.SCORING, AtlasType.INGESTION, AtlasType.MONITORING)
ATTRIBUTES: Mapping[AtlasType, Mapping[str, str]] = {
    AtlasType.MODEL: {},
    AtlasType.VERSION: {
        "number": "int",
        "state": "string",
        "role": "string",
        "problem": "string",
        "features": "array<string>",
        "specRevision": "int",
        "registeredAt": "date",
    },
    AtlasType.REFERENCE: {"contentHash": "string", "address": "string"},
    AtlasType.SOURCE: {
        "kind": "string",
        "format": "string",
        "batches": "long",
        "rows": "long",
        "firstStoredAt": "date",
        "lastStoredAt": "date",
    },
    AtlasType.ROWS: {"kind": "string"},
    AtlasType.RESULTS: {
        "chunks": "long",
        "revisedChunks": "long",
        "firstChunk": "date",
        "endOfLastChunk": "date",
        "computedAt": "date",
    },
    AtlasType.TRAINING: {"mlflowRun": "string", "mlflowTracking": "string"},
    AtlasType.SCORING: {},
    AtlasType.INGESTION: {"kind": "string"},
    AtlasType.MONITORING: {"specRevision": "int", "codeVersions": "array<string>"},
}
"""The attributes of each type beside those of its super type: qualifiedName, name, description and owner."""


def type_definitions() -> dict[str, Any]:
    """Return the types and the relationship of a version to its model."""
    return {
        "enumDefs": [],
        "structDefs": [],
        "classificationDefs": [],
        "entityDefs": [_entity_definition(kind, attributes) for kind, attributes in ATTRIBUTES.items()],
        "relationshipDefs": [
            {
                "name": OF_MODEL,
                "typeVersion": TYPE_VERSION,
                "relationshipCategory": "COMPOSITION",
                "propagateTags": "NONE",
                "endDef1": {
                    "type": AtlasType.MODEL, "name": "versions", "isContainer": True, "cardinality": "SET",
                },
                "endDef2": {
                    "type": AtlasType.VERSION, "name": "model", "isContainer": False, "cardinality": "SINGLE",
                },
            }
        ],
    }  # fmt: skip


def _entity_definition(kind: AtlasType, attributes: Mapping[str, str]) -> dict[str, Any]:
    """Return the definition of a type, all of whose attributes are optional."""
    return {
        "name": kind,
        "superTypes": ["Process" if kind in PROCESSES else "DataSet"],
        "typeVersion": TYPE_VERSION,
        "attributeDefs": [
            {
                "name": name,
                "typeName": type_name,
                "cardinality": "SET" if type_name.startswith("array") else "SINGLE",
                "isOptional": True,
                "isUnique": False,
                "isIndexable": False,
            }
            for name, type_name in attributes.items()
        ],
    }
