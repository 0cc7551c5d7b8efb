"""Loads an artifact of either format."""

import json
from collections.abc import Mapping
from typing import Any

import treelite

from driftline.artifacts.inputs import Inputs
from driftline.artifacts.output_rule import OutputRule, ScoreCalibration
from driftline.artifacts.scorer import Scorer
from driftline.artifacts.spark_pipeline import read_pipeline
from driftline.engine.catalogue import Problem
from driftline.errors import InvalidInput
from driftline.objects import ObjectMissing, ObjectStore, open_store

DESCRIPTION, TREES, PIPELINE = "model.json", "trees.bin", "pipeline"
TREES_FORMAT = "driftline-trees-1"


def load_scorer(address: str) -> Scorer:
    """Load the artifact at an address.

    Raises:
        InvalidInput: it has another format, or stages that cannot be served.
        ObjectMissing, StoreRefused, StoreUnavailable: as `driftline.objects` says.

    >>> import tempfile
    >>> from driftline.artifacts.loading import load_scorer
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     load_scorer(folder)
    Traceback (most recent call last):
    driftline.objects.ObjectMissing: There is no artifact in ... save the model again.
    """
    store = open_store(address)
    try:
        described: Mapping[str, Any] = json.loads(store.get(DESCRIPTION))
    except ObjectMissing as error:
        raise ObjectMissing(
            f"There is no artifact in {store.address} ({DESCRIPTION} is missing); restore it, or save the model again."
        ) from error
    except ValueError as error:
        raise InvalidInput(f"{store.address}/{DESCRIPTION} is not JSON; save the model again.") from error
    saved_format = described.get("format")
    if saved_format is None and "threshold" in described:
        return _from_pipeline(store, described)
    if saved_format == TREES_FORMAT:
        return _from_trees(store, described)
    raise InvalidInput(
        f"The artifact in {store.address} has the format {saved_format!r}, and this program reads {TREES_FORMAT!r}; "
        "save it again with `driftline.artifacts.saving.save_trees`."
    )


def _from_pipeline(store: ObjectStore, described: Mapping[str, Any]) -> Scorer:
    inputs, trees = read_pipeline(store.under(PIPELINE))
    calibration = ScoreCalibration(**described["calibration"])
    output_rule = OutputRule(Problem.BINARY, threshold=described["threshold"], calibration=calibration)
    return Scorer(inputs, trees, output_rule, described["details"])


def _from_trees(store: ObjectStore, described: Mapping[str, Any]) -> Scorer:
    """Return the scorer that `save_scorer` wrote."""
    try:
        trees = treelite.Model.deserialize_bytes(store.get(TREES))
    except treelite.TreeliteError as error:
        raise InvalidInput(f"{store.address}/{TREES} cannot be read; save the model again.") from error
    calibration = described["calibration"]
    output_rule = OutputRule(
        Problem(described["problem"]),
        tuple(described["classes"]),
        described["threshold"],
        calibration and ScoreCalibration(**calibration),
    )
    inputs = Inputs(
        tuple(described["features"]), described["categories"], frozenset(described["logged"]), described["filled"]
    )
    return Scorer(inputs, trees, output_rule, described["details"])
