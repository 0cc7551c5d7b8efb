"""Drivers' errors are translated once, with their cure."""

import pytest
from pydantic import SecretStr

from driftline.database import is_reachable, make_engine
from driftline.errors import DatabaseRefused
from driftline.settings import DatabaseSettings


@pytest.mark.parametrize("wrong", [{"password": SecretStr("wrong")}, {"user": "nobody"}, {"name": "nothing_there"}])
def test_a_wrong_user_password_or_schema_is_refused(
    database_settings: DatabaseSettings, wrong: dict[str, str | SecretStr]
) -> None:
    with pytest.raises(DatabaseRefused, match="check DB_USER, DB_PASSWORD and DB_NAME"):
        is_reachable(make_engine(database_settings.model_copy(update=wrong)))
