"""The routes of predictions and models, and those that answer for the WebSockets."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from apiflask import APIBlueprint
from flask import Response, jsonify, request

from driftline.errors import DriftlineError, InvalidInput, NotFound
from driftline.http import access
from driftline.http.access import needs
from driftline.http.api_description import Document, error_response
from driftline.http.authorization.scopes import Scope
from serving.models.served_version import NotServable
from serving.predictor import Predictions, Predictor, fields_of
from serving.web.requests import PREDICT_PATH, RequestTypes, read_request, request_types

HANDSHAKE = "driftline.handshake"
"""The key of a request's ASGI scope that only a WebSocket of this process sets."""
SCHEMAS = "#/components/schemas/"


class UpgradeRequired(DriftlineError):
    """This address is a WebSocket; open it with a WebSocket client, as the guide on serving shows."""

    status = HTTPStatus.UPGRADE_REQUIRED


def make_api(predictor: Predictor) -> APIBlueprint:
    """Return the routes; each declares the scope that it needs."""
    api = APIBlueprint("api", __name__)

    @needs(Scope.PREDICT)
    def predict() -> Response:
        """Predict one row or many, and log the predictions."""
        return jsonify(answer_to(request.get_json(force=True), predictor))

    @needs(Scope.READ)
    def model() -> Response:
        """Describe the version of a model that is served: features, classes, threshold, metrics."""
        version = predictor.models.get(request.args.get("model"))
        return jsonify({**version.describe(), "problem_of_newest": predictor.models.problem(version.name)})

    @needs(Scope.PREDICT)
    def predict_socket() -> Response:
        """Predict what each message asks for, and answer it by a message."""
        return _accept()

    @needs(Scope.READ)
    def predictions_socket() -> Response:
        """Send predictions as they are made (`model`: of one model); a slow client is told how many it missed."""
        return _accept()

    api.post(PREDICT_PATH)(predict)
    api.get("/model")(model)
    api.get("/ws/predict")(predict_socket)
    api.get("/ws/predictions")(predictions_socket)
    return api


def _accept() -> Response:
    """Accept the handshake of a WebSocket; a plain request is refused with the address's purpose."""
    if HANDSHAKE not in request.environ.get("asgi.scope", {}):
        raise UpgradeRequired
    access.require_same_origin(request)  # browsers let any page open a WebSocket, also to read only
    return Response(status=HTTPStatus.NO_CONTENT)


def answer_to(body: Any, predictor: Predictor) -> Mapping[str, Any]:
    """Return the answer to the body of a request for predictions.

    Raises:
        NotFound, NotServable, InvalidInput: as `read_request` and `Predictor.predict` say.
    """
    requested, rows = read_request(body, predictor.subject_field)
    return answer_of(predictor.predict(requested.model, rows, logged=requested.log), single=requested.is_single)


def answer_of(predictions: Predictions, *, single: bool) -> Mapping[str, Any]:
    """Return the answer to a request: the fields of one prediction, or a list of them."""
    version = predictions.version
    head = {"model": version.name, "version": version.number}
    fields = [fields_of(prediction) for prediction in predictions.predictions]
    return head | (fields[0] if single else {"predictions": fields})


def describe_predictions(subject_field: str | None) -> Callable[[Document], None]:
    """Return what describes bodies and errors, which are read so that all faults are reported together."""
    return lambda document: _describe(document, request_types(subject_field))


def _describe(document: Document, types: RequestTypes) -> None:
    """Add the bodies of predictions, the errors of `/predict` and `/model`, and the answers to WebSocket requests."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name, schema in {"PredictIn": types.request, "SinglePredictIn": types.single}.items():
        described = schema.model_json_schema(ref_template=f"{SCHEMAS}{{model}}")
        schemas.update(described.pop("$defs", {}))
        schemas[name] = described
    choices = [{"$ref": f"{SCHEMAS}{name}"} for name in ("SinglePredictIn", "PredictIn")]
    predict = document["paths"]["/predict"]["post"]
    predict["requestBody"] = {"required": True, "content": {"application/json": {"schema": {"oneOf": choices}}}}
    describe = document["paths"]["/model"]["get"]
    describe["parameters"] = [{"name": "model", "in": "query", "required": False, "schema": {"type": "string"}}]
    errors = (InvalidInput, NotFound, NotServable)
    for operation in (predict, describe):
        operation["responses"] |= {str(error.status.value): error_response(error) for error in errors}
    for path in ("/ws/predict", "/ws/predictions"):
        document["paths"][path]["get"]["responses"] = {
            "101": {"description": "The connection is a WebSocket from now on."},
            "426": error_response(UpgradeRequired),
        }
