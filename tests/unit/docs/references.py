"""Resolve dotted names of the documentation to objects of the code."""

import importlib
from dataclasses import fields, is_dataclass
from types import ModuleType

from pydantic import BaseModel


def resolve(reference: str) -> object:
    """Return what a dotted name means: a module, or an attribute of one; a field counts as an attribute.

    Raises `AttributeError` or `ModuleNotFoundError` for a name that does not exist.
    """
    module, attributes = _module_of(reference)
    value: object = module
    for name in attributes:
        value = _attribute(value, name)
    return value


def _module_of(reference: str) -> tuple[ModuleType, list[str]]:
    """Split a dotted name into the longest module that can be imported and the attributes that follow."""
    names = reference.split(".")
    for count in range(len(names), 0, -1):
        name = ".".join(names[:count])
        try:
            return importlib.import_module(name), names[count:]
        except ModuleNotFoundError as error:
            if error.name is None or not name.startswith(error.name):
                raise
    raise ModuleNotFoundError(reference, name=reference)


def _attribute(value: object, name: str) -> object:
    if isinstance(value, type) and issubclass(value, BaseModel) and name in value.model_fields:
        return value.model_fields[name]
    if isinstance(value, type) and is_dataclass(value) and name in {field.name for field in fields(value)}:
        return next(field for field in fields(value) if field.name == name)
    return getattr(value, name)
