"""The monitor's composition root: the only place that wires settings, database, API and pages."""

from apiflask import APIFlask

from driftline import clock
from driftline.http import access, api_description
from driftline.http.metrics import PATH, ServiceMetrics
from driftline.http.web import install, make_app
from driftline.ingest.ingestion import Ingestion
from driftline.models.registered_models import RegisteredModels
from driftline.objects import open_store
from driftline.settings import AccessSettings, DatabaseSettings, LocalSettings
from driftline.store import migrate
from driftline.store.archive.run import Archive
from driftline.store.database import make_engine
from monitoring.alerts.report_mail import ReportMail
from monitoring.alerts.service import AlertService
from monitoring.api.alerts.routes import make_alerts_api
from monitoring.api.incidents.routes import make_incidents_api
from monitoring.api.ingest.routes import describe_ingest, make_ingest_api
from monitoring.api.models.routes import describe_models, make_models_api
from monitoring.api.models.schedules import describe_schedules, make_polling_reader, make_schedules_api
from monitoring.api.models.versions import describe_versions, make_versions_api
from monitoring.api.pressure import Pressure
from monitoring.api.reports import describe_reports, make_reports_api
from monitoring.api.results.chunks import describe_paths, make_api
from monitoring.api.results.routes import describe_results, make_results_api
from monitoring.api.runs.routes import describe_runs, make_runs_api
from monitoring.archiving import archive_every
from monitoring.metrics.polls import PollMetrics
from monitoring.metrics.stored_values import read_stored
from monitoring.pages.dashboard import CHANGES, make_pages
from monitoring.report.files.scheduled_reports import ScheduledReports
from monitoring.series.receiver import HttpLineReceiver
from monitoring.series.sink import SeriesSink
from monitoring.service import MonitorService, run_every
from monitoring.settings import MonitorSettings

LOCK_WAIT_SECONDS = 10
"""How long a statement waits for rows that others have locked."""


def create_app(
    settings: MonitorSettings,
    database: DatabaseSettings,
    access_settings: AccessSettings | None = None,
    *,
    polls: bool = True,
) -> APIFlask:
    """Build the service; `polls` starts its background poller. Nothing connects before the first poll or request.

    `app.extensions["engine"]` is its database engine; dispose it to close the connections.

    Raises:
        InvalidInput: the host is not loopback and no tokens are set.
    """
    app = make_app("monitoring.pages", "Driftline monitor")  # the folder with static/ and templates/
    access.guard(app, settings.host, access_settings or AccessSettings())
    engine = app.extensions["engine"] = make_engine(database, lock_wait_seconds=LOCK_WAIT_SECONDS)
    alert_service = AlertService.of_settings(settings, engine, clock.utc_now)
    monitor = MonitorService(engine, open_store(settings.output), clock.utc_now, alert_service.planner)
    install(app, ready=lambda: migrate.require_current(engine), polled=[PATH, CHANGES])
    metrics = ServiceMetrics()
    metrics.install(app)
    metrics.watch_pool(engine)
    metrics.watch_lineage()
    metrics.add_reader(lambda: read_stored(engine, clock.utc_now, settings.metrics_models))
    monitor.poll_metrics = PollMetrics(metrics.registry)
    app.register_blueprint(make_runs_api(monitor, settings.run_wait_seconds))
    app.register_blueprint(make_api(monitor))
    app.register_blueprint(make_results_api(monitor))
    app.register_blueprint(make_reports_api(monitor))
    pressure = Pressure()
    app.register_blueprint(make_ingest_api(Ingestion(engine, clock.utc_now), pressure))
    polling = make_polling_reader(monitor, settings.poll_seconds, clock.utc_now)
    references = open_store(LocalSettings().objects_address)
    registered = RegisteredModels(engine, references, clock.utc_now)
    app.register_blueprint(make_models_api(registered, pressure, polling))
    app.register_blueprint(make_versions_api(registered))
    app.register_blueprint(make_schedules_api(engine, polling))
    api_description.add_describer(app, describe_paths)
    api_description.add_describer(app, describe_runs)
    api_description.add_describer(app, describe_schedules)
    api_description.add_describer(app, describe_versions)
    api_description.add_describer(app, describe_results)
    api_description.add_describer(app, describe_reports)
    api_description.add_describer(app, describe_ingest)
    api_description.add_describer(app, describe_models)
    api_description.add_describer(app, api_description.require_bodies)
    app.register_blueprint(make_incidents_api(engine, clock.utc_now))
    app.register_blueprint(make_alerts_api(alert_service))
    app.register_blueprint(
        make_pages(monitor, settings.poll_seconds, clock.utc_now, alert_service, registered, pressure)
    )
    if polls:
        scheduler = run_every(monitor, settings.poll_seconds)
        if settings.report_cron is not None:
            output, endings = open_store(settings.output), settings.report_endings
            mail = ReportMail(alert_service, settings.report_mail_channels)
            reports = ScheduledReports(output, endings, monitor.models, monitor.newest_report, clock.utc_now, mail.send)
            reports.schedule(scheduler, settings.report_cron)
        archive_every(scheduler, Archive(engine, references), settings.archive_minutes)
        app.extensions["poller"] = scheduler
        app.extensions["senders"] = alert_service.start_sending()
        if settings.series_url:
            sink = SeriesSink(engine, HttpLineReceiver(settings.series_url, settings.series_token))
            app.extensions["series"] = sink.start(settings.poll_seconds)
    return app
