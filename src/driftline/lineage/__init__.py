"""OpenLineage events of jobs, batches and polls; without a receiver nothing is recorded or imported.

A program of yours records its own jobs in the same way. `lineage_recorded` reads where events go from the environment
(`DRIFTLINE_LINEAGE_FILE`, `DRIFTLINE_LINEAGE_ADDRESS`), unless settings are given:

>>> import json, tempfile
>>> from pathlib import Path
>>> file = Path(tempfile.mkdtemp()) / "lineage.jsonl"
>>> with lineage_recorded(LineageSettings(file=file)), run("shop.score_orders"):
...     read(topic_dataset("127.0.0.1:9092", "orders", rows=120), Dataset("rates", "https://rates.example.org"))
...     wrote(predictions_of("delivery", rows=120))
...     note(model_file="delivery-7.json")
>>> [json.loads(line)["eventType"] for line in file.read_text().splitlines()]
['START', 'COMPLETE']
>>> is_recording()
False
"""

from driftline.lineage.datasets import (
    Dataset,
    Field,
    labels_of,
    object_dataset,
    predictions_of,
    reference_of,
    table_dataset,
    topic_dataset,
)
from driftline.lineage.runs import is_recording, note, read, run, wrote
from driftline.lineage.settings import LineageSettings
from driftline.lineage.start import lineage_recorded

__all__ = [
    "Dataset",
    "Field",
    "LineageSettings",
    "is_recording",
    "labels_of",
    "lineage_recorded",
    "note",
    "object_dataset",
    "predictions_of",
    "read",
    "reference_of",
    "run",
    "table_dataset",
    "topic_dataset",
    "wrote",
]
