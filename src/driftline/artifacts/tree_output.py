"""The output of trees, for many rows or for few. No I/O here."""

import ctypes

import numpy as np
import treelite
from treelite.core import _LIB, _check_call
from treelite.gtil.gtil import GTILConfig

from driftline.artifacts.inputs import Matrix


def tree_output(trees: treelite.Model, matrix: Matrix) -> Matrix:
    """Return the output of trees in float64, one line for each row."""
    output: Matrix = treelite.gtil.predict(trees, matrix, nthread=1).reshape(len(matrix), -1)
    return output


class PreparedTrees:
    """Trees whose output for few rows is computed often, as in a service; safe for threads.

    `treelite.gtil.predict` describes the model and its options to treelite's C library in each call, which takes three
    times as long as 30 trees take for a row. Here it is done once, and then the same function of that library called.
    """

    def __init__(self, trees: treelite.Model) -> None:
        """Take trees, and look at the shape and the types of their rows and of their output."""
        self._trees = trees
        self._config = GTILConfig(nthread=1, predict_type="default")
        self._input_type, self._output_type = np.dtype(trees.input_type), np.dtype(trees.output_type)
        self._columns = trees.num_feature
        self._width = tree_output(trees, np.zeros((1, self._columns))).shape[1]
        self._arguments = trees.handle, ctypes.c_char_p(trees.input_type.encode()), self._config.handle

    def output(self, matrix: Matrix) -> Matrix:
        """Return what `tree_output` returns."""
        if matrix.shape[1] != self._columns:
            return tree_output(self._trees, matrix)  # which fills columns that no tree uses
        values = np.ascontiguousarray(matrix, self._input_type)
        output = np.zeros((len(values), self._width), self._output_type)
        handle, input_type, config = self._arguments
        places = (ctypes.c_void_p(values.ctypes.data), ctypes.c_void_p(output.ctypes.data))
        _check_call(
            _LIB.TreeliteGTILPredict(handle, places[0], input_type, ctypes.c_uint64(len(values)), places[1], config)
        )
        return output
