"""The page that changes a spec: a preview of past verdicts before it is saved as a revision."""

from apiflask import APIBlueprint
from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from driftline.errors import InvalidInput
from driftline.http.access import needs
from driftline.http.authorization.scopes import Scope
from driftline.models.registered_models import RegisteredModels
from monitoring.api.pressure import Pressure
from monitoring.pages.specs.spec_edit_page import spec_edit_page
from monitoring.pages.specs.spec_form import SpecForm, changes_of, form_values
from monitoring.pages.specs.spec_page import difference
from monitoring.service import MonitorService


def add_spec_edit_pages(
    pages: APIBlueprint, monitor: MonitorService, registered: RegisteredModels, pressure: Pressure
) -> None:
    """Add the routes to the blueprint of the pages."""

    @needs(Scope.ADMIN)
    def edit_spec(name: str, query_data: SpecForm) -> ResponseReturnValue:
        """Show the form, and, once it was sent, what past verdicts would have been."""
        return _page(name, query_data)

    @needs(Scope.ADMIN)
    def save_spec(name: str, form_data: SpecForm) -> ResponseReturnValue:
        """Save the form as a revision of the spec, and show the spec."""
        version, _ = monitor.spec_revisions(name, form_data.version)
        try:
            changes = changes_of(version.spec, form_data.texts)
            if changes:
                registered.revise(name, changes, version.number)
        except InvalidInput as error:
            return _page(name, form_data, error), error.status
        return redirect(url_for("pages.spec", name=name, version=version.number), 303)

    def _page(name: str, form: SpecForm, error: InvalidInput | None = None) -> str:
        """Return the page of the form, which lists the faults of the entries."""
        versions = monitor.versions(name)
        version, _ = monitor.spec_revisions(name, form.version)
        page = spec_edit_page(version, form.texts or form_values(version.spec))
        if form.texts and error is None:
            try:
                changes = changes_of(version.spec, form.texts)
                if changes:
                    with pressure.slot():
                        preview = monitor.spec_preview(version, changes)
                    page = spec_edit_page(version, form.texts, list(difference(version.spec, preview.spec)), preview)
            except InvalidInput as invalid:
                error = invalid
        return render_template(
            "spec_edit.html", page=page, versions=versions, error=error, sent=bool(form.texts) and error is None
        )

    path = "/models/<name>/spec/edit"
    pages.get(path)(pages.input(SpecForm, location="query")(edit_spec))
    pages.post(path)(pages.input(SpecForm, location="form")(save_spec))
