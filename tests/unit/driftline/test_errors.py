"""Every error has a message, a code and a status."""

import copy
import inspect

import pytest

from driftline import errors
from driftline.errors import MOST_ROWS, BatchConflict, DriftlineError, InvalidInput, RowFault, SchemaMismatch

ALL = [value for _, value in inspect.getmembers(errors, inspect.isclass) if issubclass(value, DriftlineError)]


@pytest.mark.parametrize("error", ALL, ids=lambda error: error.__name__)
def test_every_error_has_message_code_and_status(error: type[DriftlineError]) -> None:
    instance = error()
    assert str(instance) == error.default_message()
    assert (error.__doc__ or "").startswith(str(instance))
    assert ">>>" not in str(instance)
    assert "\n" not in str(instance)
    assert instance.code.islower()
    assert 400 <= instance.status < 600


@pytest.mark.parametrize("error", ALL, ids=lambda error: error.__name__)
def test_every_error_can_be_sent_between_processes(error: type[DriftlineError]) -> None:
    received = copy.copy(error("What is wrong.", details=("a", "b")))  # by the same protocol as pickle
    assert (type(received), received.message, received.details) == (error, "What is wrong.", ("a", "b"))


def test_a_reworded_error_keeps_its_kind_its_details_and_its_rows() -> None:
    faults = [RowFault(row, "amount", "ERR", "Send a number.") for row in range(1, MOST_ROWS + 2)]
    error = BatchConflict("In the file.", details=("a",), rows=faults).reworded("In day.csv.")
    assert (type(error), error.message, error.details) == (BatchConflict, "In day.csv.", ("a",))
    assert (error.rows, error.more_rows) == (tuple(faults[:MOST_ROWS]), True)


def test_details_follow_the_message_one_per_line() -> None:
    assert str(InvalidInput("Two faults.", details=("a", "b"))) == "Two faults.\n  - a\n  - b"


def test_the_code_is_snake_case() -> None:
    assert BatchConflict().code == "batch_conflict"


def test_a_schema_mismatch_lists_missing_and_available() -> None:
    assert str(SchemaMismatch.of(("a",), ())) == "Columns are missing: a. Available: none."
