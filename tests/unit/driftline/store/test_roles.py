"""The champions before the present one: promotions add, rollbacks take away."""

from datetime import UTC, datetime

import pytest

from driftline.store.versions.roles import Author, Role, RoleAction, RoleChange, Roles, earlier_champions

AUTHOR = Author("anna", datetime(2026, 4, 1, tzinfo=UTC), "better")
P, R, C, D = RoleAction.PROMOTE, RoleAction.ROLLBACK, RoleAction.CHALLENGE, RoleAction.DISMISS


def history(*changes: tuple[RoleAction, int, int | None]) -> list[RoleChange]:
    return [RoleChange(n, action, version, before, AUTHOR) for n, (action, version, before) in enumerate(changes, 1)]


@pytest.mark.parametrize(
    ("changes", "earlier"),
    [
        ([], ()),
        ([(P, 2, 1)], (1,)),
        ([(P, 2, None)], ()),
        ([(P, 2, 1), (C, 3, None), (P, 3, 2)], (2, 1)),
        ([(P, 2, 1), (C, 3, None), (D, 3, None)], (1,)),
        ([(P, 2, 1), (P, 3, 2), (R, 2, 3)], (1,)),
        ([(P, 2, 1), (P, 3, 2), (R, 2, 3), (R, 1, 2)], ()),
        ([(P, 2, 1), (P, 3, 2), (P, 4, 3), (R, 2, 4)], (1,)),
        ([(P, 2, 1), (P, 1, 2), (R, 2, 1)], (1,)),
    ],
)
def test_a_rollback_returns_to_what_was_used_before_the_promotion(
    changes: list[tuple[RoleAction, int, int | None]], earlier: tuple[int, ...]
) -> None:
    assert earlier_champions(history(*changes)) == earlier


def test_a_version_has_at_most_one_role() -> None:
    roles = Roles(champion=1, challenger=2, used=1)
    assert [roles.of(version) for version in (1, 2, 3)] == [Role.CHAMPION, Role.CHALLENGER, None]
    assert Roles(None, None, 3).of(3) is None
