"""The page on which a model is tried by hand; it needs no script, and logs nothing unless asked to."""

import json
from typing import Any

from apiflask import APIBlueprint
from flask import Response, make_response, render_template, request

from driftline.errors import DriftlineError, InvalidInput
from driftline.http.access import needs
from driftline.http.authorization.scopes import Scope
from serving.models.served_version import ServedVersion
from serving.predictor import Predictor
from serving.web.api import answer_of
from serving.web.requests import read_request

POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"


def make_page(predictor: Predictor) -> APIBlueprint:
    """Return the routes of the page."""
    page = APIBlueprint("pages", __name__, enable_openapi=False, template_folder="templates")

    @needs(Scope.READ)
    def form() -> Response:
        """Show the form, filled with a row of the model."""
        name = request.args.get("model") or predictor.models.default or ""
        return _render(predictor, name, "", logged=False)

    @needs(Scope.PREDICT)
    def predict() -> Response:
        """Show the answer to what the form sends."""
        name, text = request.form.get("model", ""), request.form.get("row", "")
        return _render(predictor, name, text, logged="log" in request.form, answers=True)

    page.get("/")(form)
    page.post("/")(predict)
    return page


def _render(predictor: Predictor, name: str, text: str, *, logged: bool, answers: bool = False) -> Response:
    """Render the form with the answer, or with what is wrong."""
    version, answer, problem, status = None, None, None, 200
    try:
        version = predictor.models.get(name)
        name = version.name
        if answers:
            answer = json.dumps(_answer(predictor, name, text, logged=logged), indent=2)
    except DriftlineError as error:
        problem, status = error, int(error.status)
    response = make_response(
        render_template(
            "try.html",
            name=name,
            version=version,
            text=text or (_example(version) if version else ""),
            logged=logged,
            answer=answer,
            problem=problem,
        ),
        status if answers else 200,
    )
    response.headers["Content-Security-Policy"] = POLICY
    return response


def _answer(predictor: Predictor, name: str, text: str, *, logged: bool) -> Any:
    """Return the answer to the text of the form: the fields of a row, or of several as `rows`."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"The row is not valid JSON: {error}; correct it.") from error
    if isinstance(body, dict):
        body = {**body, "model": name, "log": logged}
    requested, rows = read_request(body, predictor.subject_field)
    return answer_of(predictor.predict(name, rows, logged=logged), single=requested.is_single)


def _example(version: ServedVersion) -> str:
    """Return a row without values, for the user to fill in."""
    categories = version.scorer.inputs.categories
    values = {name: next(iter(categories[name]), None) if name in categories else 0 for name in version.features}
    return json.dumps({"features": values}, indent=2)
