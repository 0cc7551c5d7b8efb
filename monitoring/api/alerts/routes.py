"""The routes of alert channels and deliveries."""

from apiflask import APIBlueprint

from driftline.http.access import needs
from driftline.http.authorization.scopes import Scope
from monitoring.alerts.delivery_store import DeliveryFilter, DeliveryState
from monitoring.alerts.service import AlertService
from monitoring.api.alerts.schemas import (
    ChannelOut,
    ChannelsOut,
    ChannelTestOut,
    DeliveriesOut,
    DeliveriesQuery,
    DeliveryOut,
    RetriedOut,
)

CHANNELS, DELIVERIES = "/api/v1/channels", "/api/v1/deliveries"


def make_alerts_api(alert_service: AlertService) -> APIBlueprint:
    """Build the routes."""
    api = APIBlueprint("alerts", __name__, tag="Alerts")

    @needs(Scope.READ)
    def channels() -> ChannelsOut:
        """List the alert channels, and how many deliveries of each wait or failed."""
        return ChannelsOut(channels=tuple(map(ChannelOut.of, alert_service.channels())))

    @needs(Scope.OPERATE)
    def test(name: str) -> ChannelTestOut:
        """Send a test message on a channel, at once and once."""
        return ChannelTestOut.of(alert_service.test(name))

    @needs(Scope.READ)
    def deliveries(query_data: DeliveriesQuery) -> DeliveriesOut:
        """List deliveries, the newest first."""
        page = alert_service.deliveries(DeliveryFilter(**dict(query_data)))
        return DeliveriesOut(deliveries=tuple(map(DeliveryOut.of, page)))

    @needs(Scope.OPERATE)
    def retry(number: int) -> RetriedOut:
        """Have a dead letter sent again."""
        alert_service.retry(number)
        return RetriedOut(number=number, state=DeliveryState.PENDING)

    api.get(CHANNELS)(api.output(ChannelsOut)(channels))
    api.post(f"{CHANNELS}/<name>/test")(api.output(ChannelTestOut)(test))
    api.get(DELIVERIES)(api.output(DeliveriesOut)(api.input(DeliveriesQuery, location="query")(deliveries)))
    api.post(f"{DELIVERIES}/<int:number>/retry")(api.output(RetriedOut)(retry))
    return api
