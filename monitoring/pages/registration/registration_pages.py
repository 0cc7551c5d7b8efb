"""The pages that register a model from an uploaded reference: upload, review, accept, and the client's lines."""

from dataclasses import replace
from functools import partial
from urllib.parse import urlencode

from apiflask import APIBlueprint
from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from driftline.engine.catalogue import Problem
from driftline.engine.spec import Period
from driftline.errors import DriftlineError, InvalidInput, NotFound
from driftline.http.access import accepts_batches, needs
from driftline.http.authorization.scopes import Scope
from driftline.models.proposal import Proposal
from driftline.models.registered_models import RegisteredModels
from driftline.models.uploaded import FILE_TYPES, propose_uploaded
from driftline.report.wording import PERIOD_WORDS
from driftline.store.database import translated
from driftline.store.versions import registry
from monitoring.api.pressure import Pressure
from monitoring.pages.queries import UploadForm, VersionPageQuery
from monitoring.pages.registration.client_snippet import client_snippet
from monitoring.pages.registration.drafts import Draft, Drafts
from monitoring.pages.registration.registration_form import RegistrationForm, guessed_form
from monitoring.service import MonitorService


def add_registration_pages(
    pages: APIBlueprint, monitor: MonitorService, registered: RegisteredModels, drafts: Drafts, pressure: Pressure
) -> None:
    """Add the routes to the blueprint of the pages."""
    review = partial(_review, registered, pressure)

    @needs(Scope.ADMIN)
    @accepts_batches
    def choose_reference() -> ResponseReturnValue:
        """Show the form that uploads a reference."""
        return render_template("upload.html", endings=tuple(FILE_TYPES), most_bytes=request.max_content_length)

    @needs(Scope.ADMIN)
    @accepts_batches
    def upload_reference(form_data: UploadForm) -> ResponseReturnValue:
        """Keep an uploaded reference for half an hour, and show what is inferred from it."""
        file = request.files.get("file")
        if file is None or not file.filename:
            raise InvalidInput("No file was chosen; choose one with the reference.")
        body = file.read()
        file.close()
        with pressure.slot():
            key, draft = drafts.add(file.filename, body)
        fields = guessed_form(form_data.name.strip(), form_data.owner, draft.columns)
        return redirect(f"{url_for('pages.review_reference', key=key)}?{urlencode(fields)}", 303)

    @needs(Scope.ADMIN)
    def review_reference(key: str, query_data: RegistrationForm) -> ResponseReturnValue:
        """Show what is inferred from an uploaded reference, and what the monitor will see."""
        return review(key, drafts.get(key), query_data)

    @needs(Scope.ADMIN)
    def register_reference(key: str, form_data: RegistrationForm) -> ResponseReturnValue:
        """Register the model, and show how predictions are sent."""
        draft = drafts.get(key)
        try:
            with pressure.slot():
                registered.register(replace(_proposal(draft, form_data), owner=form_data.owner))
        except InvalidInput as error:
            return review(key, draft, form_data, error), error.status
        drafts.remove(key)
        return redirect(url_for("pages.connect", name=form_data.name), 303)

    @needs(Scope.READ)
    def connect(name: str, query_data: VersionPageQuery) -> ResponseReturnValue:
        """Show the lines with which a program sends the predictions and labels of a model."""
        versions = monitor.versions(name)
        with translated():
            version = registry.load(registered.engine, name, query_data.version)
        snippet = client_snippet(version, request.host_url.rstrip("/"))
        return render_template("connect.html", version=version, versions=versions, snippet=snippet)

    pages.get("/register")(choose_reference)
    pages.post("/register")(pages.input(UploadForm, location="form")(upload_reference))
    pages.get("/register/<key>")(pages.input(RegistrationForm, location="query")(review_reference))
    pages.post("/register/<key>")(pages.input(RegistrationForm, location="form")(register_reference))
    pages.get("/models/<name>/connect")(pages.input(VersionPageQuery, location="query")(connect))


def _proposal(draft: Draft, form: RegistrationForm) -> Proposal:
    """Return what is inferred from an uploaded reference.

    Raises:
        InvalidInput: no column has the times, or the rows do not fit the form. NotFound: the draft is gone.
    """
    if form.timestamp is None:
        raise InvalidInput("No column with the time of each prediction is chosen; choose it under `Time`.")
    return propose_uploaded(draft.content(), form.name, form.request(), form.scores)


def _review(
    registered: RegisteredModels,
    pressure: Pressure,
    key: str,
    draft: Draft,
    form: RegistrationForm,
    error: DriftlineError | None = None,
) -> str:
    """Return the page that shows what is inferred from an upload, with the faults of the form."""
    proposal = None
    try:
        if error is None:
            with pressure.slot():
                proposal = _proposal(draft, form)
    except InvalidInput as invalid:
        error = invalid
    if error is not None and error.details:
        error = error.reworded("The reference and the entries of this form do not fit; correct them.")
    return render_template(
        "review.html",
        key=key,
        draft=draft,
        form=form,
        proposal=proposal,
        error=error,
        next_version=_next_version(registered, form.name),
        periods=[(period, PERIOD_WORDS[period]) for period in Period],
        problems=tuple(Problem),
    )


def _next_version(registered: RegisteredModels, name: str) -> int:
    """Return which version of the model the reference would be."""
    try:
        return len(registered.versions(name)) + 1
    except NotFound:
        return 1
