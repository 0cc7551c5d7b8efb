"""The file of channels and routes. No I/O here, but for `read_file`."""

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from driftline.errors import InvalidInput, NotFound
from driftline.validation_faults import Location, raise_contradictions, validation_faults
from driftline.yaml_file import read_yaml
from monitoring.alerts.channels.channel import Channel
from monitoring.alerts.channels.chat import MattermostChannel, SlackChannel, TeamsChannel
from monitoring.alerts.channels.mail import MailChannel
from monitoring.alerts.channels.on_call import OpsgenieChannel, PagerDutyChannel
from monitoring.alerts.channels.other_service import OtherServiceChannel
from monitoring.alerts.channels.webhook import WebhookChannel
from monitoring.alerts.hours import Digest, QuietHours
from monitoring.incidents.standing import Severity
from monitoring.incidents.stored_incidents import StoredIncident

ChannelName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
AnyChannel = Annotated[
    MailChannel
    | SlackChannel
    | MattermostChannel
    | TeamsChannel
    | PagerDutyChannel
    | OpsgenieChannel
    | WebhookChannel
    | OtherServiceChannel,
    Field(discriminator="type"),
]
_CONFIG = ConfigDict(extra="forbid", frozen=True)


class AlertRoute(BaseModel):
    """Which incidents go to which channels, and when.

    `models`, `owners` and `segments` are names, in which `*` stands for any characters: those of models, of their
    owners, and of segments (`country=DE`), of which one has a result out of bounds in the incident's last chunk in
    trouble. Without owners or segments any count, and none. `severity` is the least that an incident has reached.
    """

    model_config = _CONFIG

    channels: tuple[ChannelName, ...] = Field(min_length=1)
    models: tuple[str, ...] = Field(("*",), min_length=1)
    owners: tuple[str, ...] | None = Field(None, min_length=1)
    segments: tuple[str, ...] | None = Field(None, min_length=1)
    severity: Severity = Severity.WARN
    quiet_hours: QuietHours | None = None
    digest: Digest | None = None

    def takes(self, incident: StoredIncident, segments: Iterable[str]) -> bool:
        """Return whether an incident goes this way; `segments` are those out of bounds in its last chunk."""
        is_severe_enough = incident.worst is Severity.ALERT or self.severity is Severity.WARN
        in_segments = self.segments is None or _matches(segments, self.segments)
        return is_severe_enough and in_segments and self.takes_model(incident.model, incident.owner)

    def takes_model(self, model: str, owner: str | None) -> bool:
        """Return whether the route is for a model with an owner, or with None without one."""
        by_owner = self.owners is None or (owner is not None and _matches((owner,), self.owners))
        return by_owner and _matches((model,), self.models)


class AlertConfiguration(BaseModel):
    """The channels by name, and the routes: for each channel the first one counts that takes an incident.

    Nothing begins about a chunk whose labels were due more than `back_fill_days` ago. A message is tried `attempts`
    times, with pauses that grow to an hour.
    """

    model_config = _CONFIG

    channels: dict[ChannelName, AnyChannel] = Field(default_factory=dict)
    routes: tuple[AlertRoute, ...] = ()
    back_fill_days: float = Field(7, gt=0, le=100_000)
    attempts: int = Field(30, ge=1, le=1_000)

    @model_validator(mode="after")
    def _check(self) -> Self:
        """Check that routes and channels name one another, and that digests are sent where channels accept them."""
        raise_contradictions(type(self).__name__, self._faults())
        return self

    def _faults(self) -> Iterator[str]:
        routed = {name for route in self.routes for name in route.channels}
        available = ", ".join(self.channels) or "none"
        if missing := sorted(routed - self.channels.keys()):
            yield f"routes name channels that do not exist: {', '.join(missing)}; channels: {available}"
        if unused := sorted(self.channels.keys() - routed):
            yield f"no route names the channels {', '.join(unused)}; add one, or remove them"
        for route in filter(lambda route: route.digest, self.routes):
            one_by_one = [name for name in route.channels if name in self.channels and not self.channels[name].digests]
            if one_by_one:
                yield f"{', '.join(one_by_one)} takes alerts one by one; give it a route without digest"

    def channel(self, name: str) -> Channel:
        """Return a channel; raises `NotFound`, which lists them, if there is none of that name."""
        channel = self.channels.get(name)
        if channel is None:
            raise NotFound(f"There is no channel {name!r}; channels: {', '.join(self.channels) or 'none'}.")
        return channel

    def routes_model(self, channel: str, model: str, owner: str | None) -> bool:
        """Return whether a route of a channel takes incidents of a model, regardless of their severity and segments."""
        routes = (route for route in self.routes if channel in route.channels)
        return any(route.takes_model(model, owner) for route in routes)

    @property
    def has_segment_routes(self) -> bool:
        """Whether any route depends on segments."""
        return any(route.segments is not None for route in self.routes)

    def routes_of(self, incident: StoredIncident, segments: Iterable[str] = ()) -> Iterator[tuple[str, AlertRoute]]:
        """Yield each channel that an incident goes to, with the route that counts; `segments` as in `Route.takes`."""
        outside = tuple(segments)
        for name in self.channels:
            routes = (route for route in self.routes if name in route.channels)
            route = next((route for route in routes if route.takes(incident, outside)), None)
            if route is not None:
                yield name, route


def _matches(names: Iterable[str], patterns: Iterable[str]) -> bool:
    """Return whether one of the names matches one of the patterns."""
    values = tuple(patterns)
    return any(fnmatchcase(name, pattern) for name in names for pattern in values)


def read_file(path: Path) -> AlertConfiguration:
    """Return the configuration of a YAML file.

    Raises:
        InvalidInput: it cannot be read, or with every fault of its fields.
    """
    return configuration_of(read_yaml(path, str(path)), str(path))


def configuration_of(content: object, name: str) -> AlertConfiguration:
    """Return the configuration that decoded YAML describes; `name` stands in the message of `InvalidInput`."""
    try:
        return AlertConfiguration.model_validate(content or {})
    except ValidationError as error:
        faults = tuple(validation_faults(error, document="the file", is_secret=_may_be_secret))
        raise InvalidInput(f"{name} does not describe alert channels; correct it.", details=faults) from None


_PUBLIC_FIELDS = frozenset({"type", "port", "security", "allow_internal", "from", "to", "ca"})
"""The fields of channels whose values are shown in messages; another one may be a secret in the wrong place."""


def _may_be_secret(location: Location) -> bool:
    in_channel = location[:1] == ("channels",)
    return in_channel and _PUBLIC_FIELDS.isdisjoint(location[3:])  # after the name of the channel and its type
