"""A saved pipeline of Spark: log1p, imputer, assembler and random forest, read without a JVM."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import treelite

from driftline.artifacts.inputs import Inputs
from driftline.artifacts.spark_forest import trees_of_forest
from driftline.errors import InvalidInput
from driftline.objects import ObjectStore

LOGARITHM = re.compile(r"log1p\((\w+)\) AS (\w+)")
STATEMENT = re.compile(rf"SELECT \*(?:, {LOGARITHM.pattern})+ FROM __THIS__")  # noqa: S608  (a pattern)
STAGES = ("SQLTransformer", "ImputerModel", "VectorAssembler", "RandomForestClassificationModel")


@dataclass(frozen=True)
class SavedStage:
    """A stage of a saved pipeline: the last part of its class, its metadata, and its files."""

    kind: str
    metadata: Mapping[str, Any]
    files: ObjectStore

    def parameter(self, name: str) -> Any:
        """Return a parameter: as it was set, or its default."""
        return {**self.metadata["defaultParamMap"], **self.metadata["paramMap"]}[name]

    def data(self) -> pa.Table:
        """Return the rows of its Parquet files."""
        keys = [key for key in self.files.list_keys() if key.startswith("data/") and key.endswith(".parquet")]
        return pa.concat_tables([pq.read_table(BytesIO(self.files.get(key))) for key in keys])


def read_pipeline(files: ObjectStore) -> tuple[Inputs, treelite.Model]:
    """Return the inputs and the trees of a saved pipeline.

    Raises:
        InvalidInput: it has other stages than these four. ObjectMissing, StoreRefused, StoreUnavailable: as
            `driftline.objects` says.
    """
    stages = _stages(files)
    if tuple(stage.kind for stage in stages) != STAGES:
        raise InvalidInput(
            f"The pipeline in {files.address} has the stages {', '.join(stage.kind for stage in stages) or 'none'}; "
            f"only {', '.join(STAGES)} can be served."
        )
    logarithms, imputer, assembler, forest = stages
    names = _source_names(logarithms, imputer, assembler)
    inputs = Inputs(
        features=tuple(name for name, _ in names),
        logged=frozenset(name for name, _ in names),
        filled={name: value for name, value in names if value is not None},
    )
    return inputs, trees_of_forest(forest.data(), len(names), forest.metadata["numClasses"])


def _stages(files: ObjectStore) -> list[SavedStage]:
    """Return the stages in their order, which begins the names of their folders."""
    keys = [key for key in files.list_keys() if re.fullmatch(r"stages/[^/]+/metadata/part-\d+.*", key)]
    return [_stage(files, key) for key in sorted(keys, key=lambda key: int(key.split("/")[1].split("_")[0]))]


def _stage(files: ObjectStore, key: str) -> SavedStage:
    metadata = json.loads(files.get(key))
    return SavedStage(metadata["class"].rpartition(".")[2], metadata, files.under(key.rpartition("/metadata/")[0]))


def _source_names(logarithms: SavedStage, imputer: SavedStage, assembler: SavedStage) -> list[tuple[str, float | None]]:
    """Return the source of each assembled column, in the order of the forest, and what fills its missing values."""
    statement = logarithms.parameter("statement")
    if not STATEMENT.fullmatch(statement):
        raise InvalidInput(f"The pipeline's SQL is not a list of log1p(…): {statement[:200]}; it cannot be served.")
    source = {logged: name for name, logged in LOGARITHM.findall(statement)}
    logged = dict(zip(imputer.parameter("outputCols"), imputer.parameter("inputCols"), strict=True))
    (medians,) = imputer.data().to_pylist()
    return [(source[logged[name]], medians[logged[name]]) for name in assembler.parameter("inputCols")]
