"""A recorder that keeps events, and the fields that OpenLineage requires of one."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from driftline.lineage import runs
from driftline.lineage.runs import EventCounts, RunEvent

OF_DATASETS = {"inputs": "inputFacets", "outputs": "outputFacets"}


@dataclass
class KeptEvents:
    events: list[RunEvent] = field(default_factory=list)

    def add(self, event: RunEvent) -> None:
        self.events.append(event)

    def counts(self) -> Mapping[str, EventCounts]:
        return {"kept": EventCounts(len(self.events), 0)}


@contextmanager
def kept_events() -> Iterator[list[RunEvent]]:
    recorder = KeptEvents()
    runs.record_with(recorder)
    try:
        yield recorder.events
    finally:
        runs.record_with(None)


def checked(line: bytes | str) -> dict[str, Any]:
    """Return an event of JSON that has what OpenLineage 2-0-2 requires of a RunEvent, its datasets and its facets."""
    event: dict[str, Any] = json.loads(line)
    assert {"eventTime", "producer", "schemaURL", "run", "job"} <= event.keys()
    assert event["eventType"] in {"START", "COMPLETE", "FAIL"}
    assert datetime.fromisoformat(event["eventTime"]).tzinfo is not None
    assert event["schemaURL"] == "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
    assert urlsplit(event["producer"]).scheme
    UUID(event["run"]["runId"])
    facets = [event["run"].get("facets", {}), event["job"].get("facets", {})]
    for side, of_side in OF_DATASETS.items():
        names = [(dataset["namespace"], dataset["name"]) for dataset in event.get(side, [])]
        assert len({*names}) == len(names)
        facets += [dataset.get(kind, {}) for dataset in event.get(side, []) for kind in ("facets", of_side)]
    for named in (event["job"], *event.get("inputs", []), *event.get("outputs", [])):
        assert named["namespace"]
        assert named["name"]
    for facet in (facet for of_one in facets for facet in of_one.values()):
        assert urlsplit(facet["_producer"]).scheme
        assert urlsplit(facet["_schemaURL"]).scheme
    return event
