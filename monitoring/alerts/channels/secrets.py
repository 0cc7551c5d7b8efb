"""Secrets of channels: files in a folder, read again for each message, so that a new one needs no restart."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SecretStr

from driftline.settings import SecretsFolder
from monitoring.alerts.channels.outbound import DeliveryFailed
from monitoring.settings import MonitorSettings

SecretName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,63}$")]
"""The name of a file in the folder of secrets; the configuration has names only."""


@dataclass(frozen=True, slots=True)
class SecretFolder:
    """The folder of the channels' secrets; None where there is none."""

    path: Path | None

    @classmethod
    def of_settings(cls, settings: MonitorSettings) -> Self:
        """Return the folder that the settings name, by default that of `DRIFTLINE_SECRETS`; it may not exist.

        Raises:
            InvalidInput: the folder of `DRIFTLINE_SECRETS` cannot be used.
        """
        return cls(settings.alert_secrets or SecretsFolder().existing())

    def lines(self, name: str) -> list[SecretStr]:
        """Return the lines of a secret that are not empty: the current one, then, while it is replaced, the old one.

        Raises:
            DeliveryFailed: it is missing, empty or cannot be read.
        """
        if self.path is None:
            raise DeliveryFailed(f"The secret {name!r} is a file of a folder; set DRIFTLINE_SECRETS to that folder.")
        try:
            lines = (self.path / name).read_text(encoding="utf-8").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not text"
            raise DeliveryFailed(
                f"The secret {self.path / name} cannot be read ({reason}); create the file."
            ) from error
        secrets = [SecretStr(line.strip()) for line in lines if line.strip()]
        if not secrets:
            raise DeliveryFailed(f"The secret {self.path / name} is empty; write it into the file.")
        return secrets

    def read(self, name: str) -> str:
        """Return a secret, the first line of its file; raises `DeliveryFailed` as `lines` does."""
        return self.lines(name)[0].get_secret_value()
