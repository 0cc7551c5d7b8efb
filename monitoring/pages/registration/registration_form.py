"""What the form says about an uploaded reference, and the request that follows from it. No I/O here."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from driftline.backtesting.request.request import Request
from driftline.engine.catalogue import Problem
from driftline.engine.spec import Period
from driftline.models.column_guesses import guess_columns
from driftline.store.versions.owners import LONGEST_OWNER
from monitoring.pages.form_values import EMPTY_IS_ABSENT, OptionalText


def form_option(name: str, value: object = None, /) -> str:
    """Return an option as the form names it, such as `positive: yes`."""
    words = name.replace("_", " ")
    return words if value is None else f"{words}: {value}"


class RegistrationForm(BaseModel):
    """Which column is which, and how the model is monitored; what is left empty is inferred.

    `score` is a column with the probability of class 1, or one line `CLASS=COLUMN` for each of several classes.
    """

    model_config = ConfigDict(extra="forbid")

    name: str = Field("", max_length=64)
    timestamp: OptionalText = None
    label: OptionalText = None
    prediction: OptionalText = None
    score: OptionalText = None
    id: OptionalText = None
    problem: Annotated[Problem | None, EMPTY_IS_ABSENT] = None
    positive: OptionalText = None
    chunk: Annotated[Period | None, EMPTY_IS_ABSENT] = None
    label_delay: OptionalText = None
    alert_budget: Annotated[float | None, EMPTY_IS_ABSENT] = None
    owner: OptionalText = Field(None, max_length=LONGEST_OWNER)

    @property
    def scores(self) -> tuple[str, ...]:
        """The scores as the registration takes them: a column, or `CLASS=COLUMN`."""
        lines = (line.strip("\r") for line in (self.score or "").split("\n"))
        return tuple(line for line in lines if line.strip())

    def request(self) -> Request:
        """Return what the registration infers from."""
        return Request(
            option=form_option,
            timestamp=self.timestamp or "",
            label=self.label,
            prediction=self.prediction,
            id=self.id,
            chunk=self.chunk,
            problem=self.problem,
            positive=self.positive,
            label_delay=self.label_delay,
            alert_budget=self.alert_budget,
        )


def guessed_form(name: str, owner: str | None, columns: tuple[str, ...]) -> dict[str, str]:
    """Return the fields of the form that follow from the names of the columns."""
    guess = guess_columns(columns)
    fields = {
        "name": name,
        "owner": owner,
        "timestamp": guess.timestamp,
        "label": guess.label,
        "prediction": guess.prediction,
        "score": guess.score,
        "id": guess.id,
    }
    return {field: value for field, value in fields.items() if value}
