"""The trees of a saved random forest of Spark, from its Parquet files. No I/O here."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import treelite
from treelite.model_builder import Metadata, ModelBuilder, PostProcessorFunc, TreeAnnotation

from driftline.errors import InvalidInput

Node = Mapping[str, Any]
NO_CHILD = -1


def trees_of_forest(nodes: pa.Table, features: int, classes: int) -> treelite.Model:
    """Return the forest with the mean of its trees' class shares as output.

    `nodes` has the columns treeID and nodeData, as `RandomForestClassificationModel` saves them.

    Raises:
        InvalidInput: a tree splits by categories, which the saved pipelines of this project never do.
    """
    trees = _nodes_by_tree(nodes)
    builder = ModelBuilder(
        threshold_type="float64",
        leaf_output_type="float64",
        metadata=Metadata(
            num_feature=features,
            task_type="kMultiClf",
            average_tree_output=True,
            num_target=1,
            num_class=[classes],
            leaf_vector_shape=(1, classes),
        ),
        tree_annotation=TreeAnnotation(num_tree=len(trees), target_id=[0] * len(trees), class_id=[-1] * len(trees)),
        postprocessor=PostProcessorFunc(name="identity_multiclass"),
        base_scores=[0.0] * classes,
    )
    for tree in trees:
        builder.start_tree()  # type: ignore[no-untyped-call]
        for node in tree:
            _add_node(builder, node)
        builder.end_tree()  # type: ignore[no-untyped-call]
    return builder.commit()


def _nodes_by_tree(nodes: pa.Table) -> list[Sequence[Node]]:
    """Return the nodes of each tree, by the numbers of trees and nodes."""
    trees: dict[int, list[Node]] = {}
    for row in nodes.to_pylist():
        trees.setdefault(row["treeID"], []).append(row["nodeData"])
    return [sorted(trees[number], key=lambda node: int(node["id"])) for number in sorted(trees)]


def _add_node(builder: ModelBuilder, node: Node) -> None:
    """Add a node: a leaf has the share of each class, and a split sends values up to its threshold to the left."""
    builder.start_node(node["id"])
    if node["leftChild"] == NO_CHILD:
        stats = np.asarray(node["impurityStats"], np.float64)
        builder.leaf((stats / stats.sum()).tolist())
    else:
        split = node["split"]
        if split["numCategories"] != NO_CHILD:
            raise InvalidInput("The forest splits by categories; encode them as numbers before the forest is trained.")
        builder.numerical_test(
            split["featureIndex"],
            split["leftCategoriesOrThreshold"][0],
            default_left=False,  # Spark compares NaN as larger than any number
            opname="<=",
            left_child_key=node["leftChild"],
            right_child_key=node["rightChild"],
        )
    builder.end_node()  # type: ignore[no-untyped-call]
