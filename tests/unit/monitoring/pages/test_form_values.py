"""Fields of forms that were left empty count as absent, whatever their type and limits."""

from typing import get_args

import pytest
from pydantic import BaseModel

from monitoring.pages import queries
from monitoring.pages.registration import registration_form

FORMS = [
    form
    for module in (queries, registration_form)
    for form in vars(module).values()
    if isinstance(form, type) and issubclass(form, BaseModel) and form.__module__ == module.__name__
]
OPTIONAL = [
    pytest.param(form, name, id=f"{form.__name__}.{name}")
    for form in FORMS
    for name, field in form.model_fields.items()
    if not field.is_required() and field.default is None and int not in get_args(field.annotation)
]
"""The fields that people may leave empty; numbers come from links and lists."""


@pytest.mark.parametrize(("form", "name"), OPTIONAL)
def test_an_empty_field_is_absent(form: type[BaseModel], name: str) -> None:
    field = form.model_fields[name].alias or name
    required = {field.alias or name: "1" for name, field in form.model_fields.items() if field.is_required()}
    assert getattr(form.model_validate(required | {field: ""}), name) is None
