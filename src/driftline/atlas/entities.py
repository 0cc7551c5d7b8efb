"""The entities of models, as Atlas takes them at `POST /api/atlas/v2/entity/bulk`. No I/O here.

Atlas knows an entity again by its `qualifiedName`, so that the same export twice changes nothing. Within an export
entities refer to each other by negative guids, which Atlas replaces by its own.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from driftline.atlas.catalog import CatalogedModel, RowSource
from driftline.atlas.types import OF_MODEL, AtlasType
from driftline.store.ledger import BatchKind
from driftline.store.versions.model_list import VersionSummary
from driftline.tracking.training_runs import LINK

INPUTS, OUTPUTS = "dataset_process_inputs", "process_dataset_outputs"
"""The relationships of Atlas between a process and its datasets."""
Entity = dict[str, Any]


def entities_of(models: Iterable[CatalogedModel], namespace: str) -> dict[str, Any]:
    """Return the entities of some models with their relationships; `namespace` ends each qualified name."""
    export = _Export(namespace)
    for model in models:
        _add_model(export, model)
    return {"referredEntities": {}, "entities": export.entities}


@dataclass
class _Export:
    """The entities of an export so far."""

    namespace: str
    entities: list[Entity] = field(default_factory=list)

    def add(self, entity_type: AtlasType, path: str, name: str, **attributes: object) -> Entity:
        """Add an entity; attributes that are None are left out, and times are in milliseconds since 1970."""
        values = {key: _value(value) for key, value in attributes.items() if value is not None}
        entity: Entity = {
            "typeName": entity_type,
            "guid": f"-{len(self.entities) + 1}",
            "attributes": {"qualifiedName": f"{path}@{self.namespace}", "name": name, **values},
            "relationshipAttributes": {},
        }
        self.entities.append(entity)
        return entity

    def add_process(
        self,
        entity_type: AtlasType,
        path: str,
        name: str,
        inputs: Sequence[Entity],
        outputs: Sequence[Entity],
        **attributes: object,
    ) -> None:
        """Add a process between datasets."""
        process = self.add(entity_type, path, name, **attributes)
        process["relationshipAttributes"] = {
            "inputs": [_reference(entity, INPUTS) for entity in inputs],
            "outputs": [_reference(entity, OUTPUTS) for entity in outputs],
        }


def _add_model(export: _Export, model: CatalogedModel) -> None:
    """Add a model with its rows and their senders, and its versions."""
    name = model.name
    entity = export.add(AtlasType.MODEL, name, name, owner=model.owner)
    predictions, labels = (
        export.add(AtlasType.ROWS, f"{name}.{kind}", f"{kind} of {name}", kind=kind)
        for kind in (BatchKind.PREDICTIONS, BatchKind.LABELS)
    )
    for source in model.sources:
        _add_source(export, name, source, labels if source.kind == BatchKind.LABELS else predictions)
    for version in model.versions:
        _add_version(export, model, version, entity, (predictions, labels))


def _add_source(export: _Export, model: str, source: RowSource, rows: Entity) -> None:
    """Add a sender of batches, and the process by which they become rows."""
    path = "/".join(filter(None, (f"{model}.sources", source.kind, source.name, source.format)))
    sender = export.add(
        AtlasType.SOURCE,
        path,
        f"{source.name} ({source.kind})",
        kind=source.kind,
        format=source.format,
        batches=source.batches,
        rows=source.rows,
        firstStoredAt=source.first,
        lastStoredAt=source.last,
    )
    title = f"ingest {source.kind} of {model} from {source.name}"
    export.add_process(AtlasType.INGESTION, f"{path}/ingestion", title, [sender], [rows], kind=source.kind)


def _add_version(
    export: _Export, model: CatalogedModel, version: VersionSummary, of_model: Entity, rows: tuple[Entity, Entity]
) -> None:
    """Add a version with its training, its reference, and its results where it has any."""
    path, title = f"{model.name}/{version.version}", f"{model.name} version {version.version}"
    trained = export.add(
        AtlasType.VERSION,
        path,
        title,
        owner=model.owner,
        number=version.version,
        state=version.state,
        role=version.role,
        problem=version.spec.problem,
        features=[column.name for column in version.spec.columns],
        specRevision=version.revisions[-1].revision,
        registeredAt=version.created_at,
    )
    trained["relationshipAttributes"] = {"model": _reference(of_model, OF_MODEL)}
    reference = export.add(
        AtlasType.REFERENCE,
        f"{path}.reference",
        f"reference of {title}",
        contentHash=version.reference_hash,
        address=version.reference_uri,
    )
    link = (version.details or {}).get(LINK, {})
    training = {"mlflowRun": link.get("run_id"), "mlflowTracking": link.get("tracking_uri")}
    export.add_process(AtlasType.TRAINING, f"{path}.training", f"train {title}", [], [trained, reference], **training)
    export.add_process(AtlasType.SCORING, f"{path}.scoring", f"predict with {title}", [trained], [rows[0]])
    _add_results(export, model, version, [*rows, reference])


def _add_results(export: _Export, model: CatalogedModel, version: VersionSummary, inputs: Sequence[Entity]) -> None:
    """Add the results of a version, and the process that computes them."""
    coverage = model.coverages.get(version.version)
    if coverage is None:
        return
    path, title = f"{model.name}/{version.version}", f"{model.name} version {version.version}"
    results = export.add(
        AtlasType.RESULTS,
        f"{path}.results",
        f"results of {title}",
        chunks=coverage.chunks,
        revisedChunks=coverage.revised,
        firstChunk=coverage.first,
        endOfLastChunk=coverage.last,
        computedAt=coverage.computed_at,
    )
    facts = {"specRevision": version.revisions[-1].revision, "codeVersions": list(coverage.code_versions)}
    export.add_process(AtlasType.MONITORING, f"{path}.monitoring", f"monitor {title}", inputs, [results], **facts)


def _reference(entity: Entity, relationship: str) -> dict[str, str]:
    return {"guid": entity["guid"], "typeName": entity["typeName"], "relationshipType": relationship}


def _value(value: object) -> object:
    """Return a value as JSON has it."""
    return int(value.timestamp() * 1000) if isinstance(value, datetime) else value
