"""Which names of models, features and classes the tables have a place for. No I/O here."""

import re
from collections import Counter
from collections.abc import Iterator

from driftline.engine.spec import Spec
from driftline.errors import InvalidInput
from driftline.store.rows.labels import CLASS_PATTERN, LONGEST_CLASS

LONGEST_NAME = 255
NAME_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
"""What a model may be called: its name is part of addresses, of files and of objects."""


def require_storable(name: str, spec: Spec) -> None:
    """Raise one InvalidInput with every name, of the model, its features and its classes, that cannot be stored."""
    faults = tuple(_name_faults(name, spec))
    if faults:
        raise InvalidInput("The model cannot be registered.", details=faults)


def _name_faults(name: str, spec: Spec) -> Iterator[str]:
    """Yield what is wrong with the names of a model, its features and its classes."""
    if not re.fullmatch(NAME_PATTERN, name):
        yield (
            "a model's name has 1 to 64 letters (a-z), digits, points, dashes and underscores, the first a letter or a "
            f"digit; {name!r} is none"
        )
    long = [feature for feature in spec.features if len(feature) > LONGEST_NAME]
    if long:
        yield f"features have names of at most {LONGEST_NAME} characters, not {', '.join(map(repr, long))}; rename them"
    stripped = Counter(feature.rstrip(" ") for feature in spec.features)
    equal = [feature for feature in spec.features if stripped[feature.rstrip(" ")] > 1]
    if equal:
        yield f"the names {', '.join(map(repr, equal))} differ only in blanks at the end; rename them"
    classes = [text for text in spec.classes if not re.fullmatch(CLASS_PATTERN, text)]
    if classes:
        listed = ", ".join(map(repr, classes))
        yield f"labels are classes of at most {LONGEST_CLASS} characters in one line, not {listed}; rename them"
