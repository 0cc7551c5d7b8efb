"""The trees of a saved forest of Spark score as its nodes say, row by row."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.artifacts.spark_forest import trees_of_forest
from driftline.artifacts.tree_output import tree_output
from driftline.errors import InvalidInput

FEATURES = 3
Node = dict[str, Any]
VALUES = st.floats(-5, 5) | st.sampled_from([0.0, 1.0, np.nan])
COUNTS = st.lists(st.floats(0.5, 9), min_size=2, max_size=2)


def leaf(number: int, counts: list[float]) -> Node:
    split = {"featureIndex": -1, "leftCategoriesOrThreshold": [], "numCategories": -1}
    return {"id": number, "impurityStats": counts, "leftChild": -1, "rightChild": -1, "split": split}


def branch(number: int, left: int, right: int, feature: int, threshold: float, categories: int = -1) -> Node:
    split = {"featureIndex": feature, "leftCategoriesOrThreshold": [threshold], "numCategories": categories}
    return {"id": number, "impurityStats": [1.0, 1.0], "leftChild": left, "rightChild": right, "split": split}


@st.composite
def trees(draw: st.DrawFn, depth: int = 3) -> list[Node]:
    """Draw the nodes of a tree, numbered as Spark numbers them: a node before its children."""
    nodes: list[Node] = []

    def grow(left_over: int) -> int:
        number = len(nodes)
        nodes.append({})
        if left_over and draw(st.booleans()):
            feature, threshold = draw(st.integers(0, FEATURES - 1)), draw(st.floats(-5, 5) | st.just(1.0))
            nodes[number] = branch(number, grow(left_over - 1), grow(left_over - 1), feature, threshold)
        else:
            nodes[number] = leaf(number, draw(COUNTS))
        return number

    grow(depth)
    return nodes


def share(tree: list[Node], row: list[float]) -> float:
    """Return the share of class 1 in the leaf of a row, by Spark's rule: left up to the threshold."""
    node = tree[0]
    while node["leftChild"] >= 0:
        split = node["split"]
        left = row[split["featureIndex"]] <= split["leftCategoriesOrThreshold"][0]
        node = tree[node["leftChild"] if left else node["rightChild"]]
    return float(node["impurityStats"][1] / sum(node["impurityStats"]))


def table(forest: list[list[Node]]) -> pa.Table:
    rows = [{"treeID": number, "nodeData": node} for number, tree in enumerate(forest) for node in reversed(tree)]
    return pa.Table.from_pylist(rows)


@given(
    st.lists(trees(), min_size=1, max_size=4),
    st.lists(st.lists(VALUES, min_size=FEATURES, max_size=FEATURES), min_size=1),
)
def test_the_output_is_the_mean_share_of_all_trees(forest: list[list[Node]], rows: list[list[float]]) -> None:
    output = tree_output(trees_of_forest(table(forest), FEATURES, 2), np.array(rows, np.float64))
    expected = [np.mean([share(tree, row) for tree in forest]) for row in rows]
    np.testing.assert_allclose(output[:, 1], expected, rtol=1e-12)
    np.testing.assert_allclose(output.sum(axis=1), 1, rtol=1e-12)


def test_a_split_by_categories_is_refused() -> None:
    tree = [branch(0, 1, 2, 0, 1.0, categories=3), leaf(1, [1, 1]), leaf(2, [1, 1])]
    with pytest.raises(InvalidInput, match="splits by categories"):
        trees_of_forest(table([tree]), FEATURES, 2)
