"""The page of alerts: channels with a test button, and deliveries with those that failed."""

from apiflask import APIBlueprint
from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from driftline.http.access import needs
from driftline.http.authorization.scopes import Scope
from monitoring.alerts.delivery_store import DeliveryFilter
from monitoring.alerts.messages.wording import headline
from monitoring.alerts.service import AlertService
from monitoring.pages.queries import AlertsPageQuery

PAGE_SIZE = 50


def add_alert_pages(pages: APIBlueprint, alert_service: AlertService) -> None:
    """Add the routes to the blueprint of the pages."""

    @needs(Scope.READ)
    def alerts(query_data: AlertsPageQuery) -> ResponseReturnValue:
        """Show the channels, and the deliveries, the newest first."""
        query = DeliveryFilter(query_data.channel, query_data.state, before=query_data.before, most=PAGE_SIZE + 1)
        stored = alert_service.deliveries(query)
        page, more = stored[:PAGE_SIZE], len(stored) > PAGE_SIZE
        return render_template(
            "alerts.html",
            channels=alert_service.channels(),
            deliveries=page,
            query=query_data,
            more=more,
            headline=headline,
        )

    @needs(Scope.OPERATE)
    def test_channel(name: str) -> ResponseReturnValue:
        """Send a test message, and show the outcome in the list of deliveries."""
        alert_service.test(name)
        return redirect(url_for("pages.alerts", channel=name, _anchor="deliveries"), 303)

    @needs(Scope.OPERATE)
    def retry_delivery(number: int) -> ResponseReturnValue:
        """Have a dead letter sent again, and show the deliveries."""
        alert_service.retry(number)
        return redirect(url_for("pages.alerts", _anchor="deliveries"), 303)

    pages.get("/alerts")(pages.input(AlertsPageQuery, location="query")(alerts))
    pages.post("/alerts/channels/<name>/test")(test_channel)
    pages.post("/alerts/deliveries/<int:number>/retry")(retry_delivery)
