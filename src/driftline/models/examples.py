"""Examples of registered models as JSON, for /openapi.json. No I/O here."""

from typing import Any

COLUMNS: dict[str, Any] = {
    "timestamp": "day",
    "id": "flight",
    "label": "delayed",
    "prediction": "prediction",
    "scores": {"probability_1": "score"},
    "na_values": ["ERR"],
}
REFERENCE: dict[str, Any] = {
    "rows": 26_600,
    "since": "2026-03-01T00:00:00Z",
    "until": "2026-03-28T23:59:00Z",
    "chunks": 28,
    "content_hash": "5b0c1e" * 10 + "d04a",
}
VISIBLE: dict[str, Any] = {
    "changes": [
        {
            "chunks": 7,
            "label": None,
            "rows": 6_650,
            "roc_auc": 0.04,
            "f1": None,
            "accuracy": None,
            "share": 0.17,
            "usual_share": 0.14,
            "mean_residual": None,
            "mae": None,
            "usual_mae": None,
        }
    ],
    "proposed_period": None,
    "no_evidence": None,
    "words": ["Detected 8 times in 10: ROC AUC falls by 0.04 within 7 chunks."],
}
SPEC: dict[str, Any] = {
    "problem": "binary",
    "columns": [{"name": "amount", "kind": "continuous", "watched": True}],
    "period": "1d",
    "label_delay": "P3D",
}
PROPOSAL: dict[str, Any] = {
    "name": "flights",
    "version": None,
    "problem": "binary",
    "inferred": ["chunk 1d: the shortest period with enough rows"],
    "notes": [],
    "columns": COLUMNS,
    "reference": REFERENCE,
    "visible": VISIBLE,
    "spec": SPEC,
}
MODEL: dict[str, Any] = {
    "name": "flights",
    "version": 1,
    "reference": REFERENCE,
    "visible": VISIBLE,
    "versions": [
        {
            "version": 1,
            "state": "ready",
            "role": "champion",
            "registered_at": "2026-04-01T09:00:00Z",
            "reference_uri": "var/objects/references/flights/5b0c1e5b0c1e5b0c.parquet",
            "reference_hash": REFERENCE["content_hash"],
            "columns": COLUMNS,
            "details": {"inferred": []},
            "specs": [{"revision": 1, "created_at": "2026-04-01T09:00:00Z", "spec": SPEC}],
        }
    ],
    "owner": "punctuality team",
}
RETRAINING: dict[str, Any] = {
    "position": 1,
    "state": "promoted",
    "cause": "version 1 has alerted in every chunk with a verdict since 2026-03-17",
    "champion": 1,
    "challenger": 2,
    "reason": "ROC AUC 0.699 after 0.314 on 13,327 labelled rows of 1,000 subjects in 14 chunks: a difference of "
    "+0.385 with a standard error of 0.0153 by subject, beyond the noise (3.3 errors)",
    "comparison": {
        "first": 0.314,
        "second": 0.699,
        "first_error": 0.0094,
        "second_error": 0.0091,
        "difference": 0.385,
        "difference_error": 0.0153,
        "rows": 13_327,
        "positives": 1_866,
        "subjects": 1_000,
    },
    "started_at": "2026-05-13T02:00:00Z",
    "finished_at": "2026-05-13T02:04:10Z",
}
RETRAININGS: dict[str, Any] = {"name": "flights", "retrainings": [RETRAINING]}
ROLES: dict[str, Any] = {
    "name": "flights",
    "champion": 2,
    "challenger": None,
    "used": 2,
    "changes": [
        {
            "action": "promote",
            "version": 2,
            "replaced": 1,
            "changed_at": "2026-04-08T09:00:00Z",
            "changed_by": "anna",
            "reason": "ROC AUC of the last 14 days is higher by 0.021, with a standard error of 0.006",
        }
    ],
}
