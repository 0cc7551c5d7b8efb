"""The frozen references of versions: how long they must be, and the objects that they are kept as."""

from io import BytesIO

import pandas as pd

from driftline.engine.evaluation.reference import FittedReference
from driftline.engine.spec import Spec
from driftline.errors import InvalidInput
from driftline.objects import read_object

REFERENCE_CHUNKS = 8
"""How long a reference must be: with fewer chunks of its own the bounds alarm too often."""


def require_long_enough(fitted: FittedReference, spec: Spec) -> None:
    """Raise InvalidInput for a reference of so few chunks that its bounds alarm too often."""
    if fitted.chunks < REFERENCE_CHUNKS:
        raise InvalidInput(
            f"The reference has {fitted.chunks} chunks of {spec.period}, and {REFERENCE_CHUNKS} are needed; give a "
            "longer window or a shorter period."
        )


def reference_key(name: str, content_hash: str) -> str:
    """Name the object that a reference is kept as: by its content, so it never changes."""
    return f"references/{name}/{content_hash[:16]}.parquet"


def read_reference(address: str) -> pd.DataFrame:
    """Read the frozen reference of a version from its address; its columns are those that `fit_reference` takes.

    Raises:
        ObjectMissing, StoreRefused, StoreUnavailable: as `driftline.objects` says.
    """
    return pd.read_parquet(BytesIO(read_object(address)))
