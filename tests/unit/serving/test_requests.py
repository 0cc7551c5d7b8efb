"""The body of a request: which field may stand for features, as the settings name it, and the messages about faults."""

from typing import Any

import pytest

from driftline.errors import InvalidInput
from serving.settings import StoredRowsSettings
from serving.web.requests import read_request


def details(body: Any, subject_field: str | None) -> tuple[str, ...]:
    with pytest.raises(InvalidInput) as caught:
        read_request(body, subject_field)
    return caught.value.details


@pytest.mark.parametrize("field", ["subscriber", "customer"])
def test_the_field_of_the_settings_names_the_subject(field: str) -> None:
    request, (row,) = read_request({field: "4912", "model": "churn"}, field)
    assert (request.model, request.is_single, row.subject, row.features) == ("churn", True, "4912", None)
    _, rows = read_request({"rows": [{field: "1"}, {"features": {"a": 1}}]}, field)
    assert [row.subject for row in rows] == ["1", None]
    assert details({"features": {}, field: "1"}, field) == (f"send either `features` or `{field}`",)
    assert details({field: ""}, field) == (f"{field}: the text is empty; write one",)


def test_without_stored_rows_each_row_needs_features() -> None:
    assert details({"subject": "1"}, None) == ("subject: unknown field; remove it or correct its name",)
    assert details({"rows": [{}]}, None) == ("rows.0: send `features`",)


def test_a_feature_of_a_wrong_type_is_one_fault() -> None:
    (fault,) = details({"features": {"a": [1]}}, None)
    assert fault.startswith("features.a: a value of type list is not simple; write a number, a text, true, false or ")


def test_the_field_is_none_of_the_others_of_a_request() -> None:
    with pytest.raises(InvalidInput, match="SERVING_ROWS_FIELD: 'features' is another field of requests; choose"):
        StoredRowsSettings(field="features")
