"""Errors name themselves, their status and the cure."""

import copy
import inspect

import pytest

from driftline import errors
from driftline.errors import BatchConflict, DriftlineError, InvalidInput, SchemaMismatch

ALL = [value for _, value in inspect.getmembers(errors, inspect.isclass) if issubclass(value, DriftlineError)]


@pytest.mark.parametrize("error", ALL, ids=lambda error: error.__name__)
def test_every_error_has_a_message_and_a_name_of_its_own(error: type[DriftlineError]) -> None:
    made = error()
    assert str(made) == error.__doc__
    assert made.code.islower()
    assert 400 <= made.status < 600


@pytest.mark.parametrize("error", ALL, ids=lambda error: error.__name__)
def test_every_error_crosses_from_one_process_to_another(error: type[DriftlineError]) -> None:
    there = copy.copy(error("What is wrong.", details=("a", "b")))  # by the same protocol as pickle
    assert (type(there), there.message, there.details) == (error, "What is wrong.", ("a", "b"))


def test_details_follow_the_message_a_line_each() -> None:
    assert str(InvalidInput("Two faults.", details=("a", "b"))) == "Two faults.\n  - a\n  - b"


def test_the_code_is_snake_case() -> None:
    assert BatchConflict().code == "batch_conflict"


def test_a_schema_mismatch_lists_missing_and_available() -> None:
    assert str(SchemaMismatch.of(("a",), ())) == "Columns are missing: a. Available: none."
