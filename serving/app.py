"""The composition root of serving: the only place that wires settings, database, models, routes and WebSockets."""

from dataclasses import dataclass

from apiflask import APIFlask
from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute

from driftline.http import access, api_description
from driftline.http.metrics import PATH, ServiceMetrics
from driftline.http.web import install, make_app
from driftline.settings import AccessSettings, DatabaseSettings, LocalSettings
from driftline.store import migrate
from driftline.store.database import make_engine
from serving.feed import PredictionFeed
from serving.models.served_models import ServedModels
from serving.prediction_log import PredictionLog
from serving.predictor import Predictor
from serving.settings import ServingSettings, StoredRowsSettings
from serving.stored_features import StoredFeatures
from serving.web.api import describe_predictions, make_api
from serving.web.asgi import AsgiApp, WholeRequests, by_protocol
from serving.web.brief_requests import BriefRequests
from serving.web.page import make_page
from serving.web.sockets import Sockets


@dataclass(frozen=True)
class Serving:
    """The parts of a running service: its routes as a Flask app, all of it as an ASGI app, and what is to be closed."""

    flask: APIFlask
    asgi: AsgiApp
    predictor: Predictor

    def start(self, refresh_seconds: float) -> None:
        """Start to look for newer versions."""
        self.predictor.models.start(refresh_seconds)

    def close(self) -> None:
        """Stop looking for newer versions, and send the logged rows."""
        self.predictor.models.close()
        self.predictor.log.close()


def create_app(
    settings: ServingSettings,
    database: DatabaseSettings,
    access_settings: AccessSettings | None = None,
    local: LocalSettings | None = None,
    stored: StoredRowsSettings | None = None,
) -> Serving:
    """Build the service. Nothing connects before the first request.

    Raises:
        InvalidInput: the host is not loopback and no tokens are set, or the monitor's address is invalid.
    """
    limits = access_settings or AccessSettings()
    app = make_app("serving.web", "Driftline serving")
    rules = access.guard(app, settings.host, limits)
    engine = make_engine(database)
    token = settings.token.get_secret_value() if settings.token else None
    spool = (local or LocalSettings()).var / "serving-spool"
    predictor = Predictor(
        ServedModels(engine, settings.model),
        PredictionLog(settings.monitor_address, spool, token, settings.monitor_ca),
        PredictionFeed(),
        _stored_features(engine, stored or StoredRowsSettings()),
    )
    install(app, ready=lambda: migrate.require_current(engine), polled=[PATH])
    metrics = ServiceMetrics()
    metrics.install(app)
    metrics.watch_pool(engine)
    app.register_blueprint(make_api(predictor))
    app.register_blueprint(make_page(predictor))
    api_description.add_describer(app, describe_predictions(predictor.subject_field))
    brief = BriefRequests(app, rules, metrics, predictor)
    requests = WholeRequests(app.wsgi_app, limits.max_body, brief.answer)
    sockets = Sockets(requests, predictor.feed)
    routes = Starlette(
        routes=[
            WebSocketRoute("/ws/predict", sockets.predict),
            WebSocketRoute("/ws/predictions", sockets.predictions),
        ]
    )
    return Serving(app, by_protocol(requests, routes), predictor)


def _stored_features(engine: Engine, settings: StoredRowsSettings) -> StoredFeatures | None:
    return StoredFeatures(engine, settings, settings.table) if settings.table else None
