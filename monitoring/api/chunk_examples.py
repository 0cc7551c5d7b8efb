"""Examples of chunks as JSON, for /openapi.json. No I/O here."""

from typing import Any

RESULT: dict[str, Any] = {
    "subject": "model",
    "subject_kind": "model",
    "kind": "realized",
    "method": "roc_auc",
    "value": 0.8312,
    "lower": 0.8011,
    "upper": 0.8614,
    "sampling_error": 0.0101,
    "state": "ok",
    "reason": None,
    "p_value": None,
    "segment": None,
    "rows": 950,
    "expected": 0.8313,
    "alert_lower": 0.7911,
    "alert_upper": 0.8714,
    "effect": None,
}
CHUNKS: dict[str, Any] = {
    "model": "churn",
    "version": 1,
    "clock": "2026-05-17T00:00:00Z",
    "chunks": [
        {
            "start": "2026-05-12T00:00:00Z",
            "end": "2026-05-13T00:00:00Z",
            "rows": 950,
            "labelled": 950,
            "status": "closed",
            "closed": True,
            "labels_due": True,
            "waiting": False,
            "revision": 2,
            "computed_at": "2026-05-16T00:00:20Z",
            "labels_as_of": "2026-05-15T23:10:00Z",
            "verdict": "ok",
            "provisional": False,
            "reasons": ["ROC AUC 0.831 is within its bounds."],
            "drifted": [],
            "drift_seen": ["amount"],
            "evidence": None,
            "results": [RESULT],
        }
    ],
    "missing": [],
}
REVISIONS: dict[str, Any] = {
    "model": "churn",
    "version": 1,
    "start": "2026-05-12T00:00:00Z",
    "end": "2026-05-13T00:00:00Z",
    "revisions": [
        {
            "revision": 2,
            "closed": True,
            "rows": 950,
            "labelled": 950,
            "computed_at": "2026-05-16T00:00:20Z",
            "spec_revision": 1,
            "reference_hash": "5b0c1e" * 10 + "d04a",
            "code_version": "0.1.0",
            "content_hash": "e81a77" * 10 + "03fd",
            "batches": [17, 21],
            "labels_as_of": "2026-05-15T23:10:00Z",
            "verdicts": [
                {
                    "sequence": 1,
                    "verdict": "ok",
                    "provisional": False,
                    "reasons": ["ROC AUC 0.831 is within its bounds."],
                    "drifted": [],
                    "derived_at": "2026-05-16T00:00:20Z",
                }
            ],
            "results": [RESULT],
        }
    ],
}
LINEAGE: dict[str, Any] = {
    "model": "churn",
    "version": 1,
    "start": "2026-05-12T00:00:00Z",
    "end": "2026-05-13T00:00:00Z",
    "revision": 2,
    "computed_at": "2026-05-16T00:00:20Z",
    "code_version": "0.1.0",
    "spec_revision": 1,
    "reference_hash": "5b0c1e" * 10 + "d04a",
    "reference_uri": "file:///var/lib/driftline/objects/references/5b0c1e.parquet",
    "artifact_uri": "file:///var/lib/driftline/objects/models/churn/1",
    "training_run": {
        "tracking_uri": "https://mlflow.example.org",
        "run_id": "0c9f" * 8,
        "registered_model": "churn",
        "registered_version": "1",
    },
    "content_hash": "e81a77" * 10 + "03fd",
    "labels_as_of": "2026-05-15T23:10:00Z",
    "batches": [
        {
            "number": 17,
            "batch_id": "predictions/1/key/nightly-2026-05-12",
            "kind": "predictions",
            "rows": 950,
            "rows_in_chunk": 950,
            "written_at": "2026-05-13T00:04:11Z",
            "caller": "nightly job",
            "format": "application/vnd.apache.parquet",
            "content_hash": "77e8a1" * 10 + "fd03",
        }
    ],
}
