"""Which owners a model may have."""

import pytest

from driftline.errors import InvalidInput
from driftline.store.versions.owners import LONGEST_OWNER, require_owner


def test_an_owner_is_one_line_without_blanks_around_it() -> None:
    assert require_owner("  équipe fraude ") == "équipe fraude"
    for owner in ("", "   ", "a\nb", "x" * (LONGEST_OWNER + 1)):
        with pytest.raises(InvalidInput, match="is not an owner"):
            require_owner(owner)
