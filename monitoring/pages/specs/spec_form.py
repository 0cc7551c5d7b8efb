"""The form that changes a spec: the fields that change verdicts, and the thresholds by method. No I/O here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from driftline.engine.catalogue import OVERRIDABLE, title
from driftline.engine.spec import Spec
from driftline.errors import InvalidInput

SIDES = ("lower", "upper")


class SpecForm(BaseModel):
    """The fields of the form as texts; `lower.METHOD` and `upper.METHOD` are constant thresholds, empty ones are none.

    Without any field the form was not sent yet.
    """

    model_config = ConfigDict(extra="allow")

    version: int | None = Field(None, ge=1, le=2**31 - 1)

    @property
    def texts(self) -> dict[str, str]:
        """The fields that were sent, by name."""
        return {name: str(value).strip() for name, value in (self.model_extra or {}).items()}


@dataclass(frozen=True, slots=True)
class ThresholdField:
    """The thresholds of a method in the form; `other_rule` describes an override of another type, which is kept."""

    method: str
    title: str
    lower: str
    upper: str
    other_rule: str = ""


def form_values(spec: Spec) -> dict[str, str]:
    """Return the texts of the form for a spec as it is."""
    values = spec.model_dump(mode="json")
    texts = {name: str(values[name]) for name in ("minimum_rows", "minimum_class_rows", "label_delay", "alert_on")}
    texts["alert_budget"] = "" if spec.alert_budget is None else f"{spec.alert_budget:g}"
    texts["label_coverage"] = f"{100 * spec.label_coverage:g}"
    texts["drift_alerts"] = "yes" if spec.drift_alerts else ""
    for field in threshold_fields(spec, {}):
        texts |= {f"lower.{field.method}": field.lower, f"upper.{field.method}": field.upper}
    return texts


def threshold_fields(spec: Spec, texts: Mapping[str, str]) -> tuple[ThresholdField, ...]:
    """Return the thresholds of all methods of a spec, as the form has them, or else as the spec has them."""
    return tuple(_threshold(spec, method, texts) for method in _methods(spec))


def changes_of(spec: Spec, texts: Mapping[str, str]) -> dict[str, Any]:
    """Return the fields of a spec that a form changes, as a revision takes them.

    Raises:
        InvalidInput: with every field that is not a number.
    """
    faults: list[str] = []
    changed: dict[str, Any] = {
        "alert_budget": _number("alert budget", texts.get("alert_budget", ""), faults),
        "alert_on": texts.get("alert_on", spec.alert_on),
        "drift_alerts": bool(texts.get("drift_alerts")),
        "minimum_rows": _number("minimum rows", texts.get("minimum_rows", ""), faults),
        "minimum_class_rows": _number("minimum rows of the rarer class", texts.get("minimum_class_rows", ""), faults),
        "label_delay": texts.get("label_delay", "") or "PT0S",
        "threshold_overrides": _overrides(spec, texts, faults),
    }
    coverage = _number("label coverage", texts.get("label_coverage", ""), faults)
    changed["label_coverage"] = None if coverage is None else coverage / 100
    faults += [
        f"{name.replace('_', ' ')} is empty; write a number"
        for name in ("minimum_rows", "minimum_class_rows", "label_coverage")
        if not texts.get(name)
    ]
    if faults:
        raise InvalidInput("The form is not valid; correct these fields.", details=tuple(faults))
    present = spec.model_dump(mode="json")
    return {name: value for name, value in changed.items() if value != present[name]}


def _methods(spec: Spec) -> list[str]:
    """Return the methods of a spec that may have constant thresholds; a p-value has none."""
    methods = (*spec.metrics, *spec.continuous_methods, *spec.categorical_methods, *spec.multivariate_methods)
    return [method for method in dict.fromkeys(map(str, methods)) if method in OVERRIDABLE]


def _threshold(spec: Spec, method: str, texts: Mapping[str, str]) -> ThresholdField:
    override = spec.threshold_overrides.get(method)
    stored = override.model_dump(mode="json") if override else {}
    sides = {
        side: texts.get(f"{side}.{method}", "" if stored.get(side) is None else f"{stored[side]:g}") for side in SIDES
    }
    policy = "" if not stored or stored["type"] == "constant" else "standard deviations"
    return ThresholdField(method, title(method), sides["lower"], sides["upper"], policy)


def _overrides(spec: Spec, texts: Mapping[str, str], faults: list[str]) -> dict[str, Any]:
    """Return all overrides of the spec; a method with a threshold in the form gets a constant one."""
    methods = set(_methods(spec))
    overrides = {
        name: override
        for name, override in spec.model_dump(mode="json")["threshold_overrides"].items()
        if name not in methods or override["type"] != "constant"
    }
    return overrides | dict(_constants(spec, texts, faults))


def _constants(spec: Spec, texts: Mapping[str, str], faults: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    for method in _methods(spec):
        numbers = {
            side: _number(f"{title(method)}, {side} threshold", texts.get(f"{side}.{method}", ""), faults)
            for side in SIDES
        }
        if any(number is not None for number in numbers.values()):
            yield method, {"type": "constant", **numbers}


def _number(name: str, text: str, faults: list[str]) -> float | None:
    """Return the number of a field; None where it is empty, or is none, which is a fault."""
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        faults.append(f"{name}: {text!r} is not a number")
        return None
    return int(number) if number.is_integer() else number
