"""The 1,309 passengers of the Titanic: class, sex, age, port of embarkation, and who survived."""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

from driftline import MissingLibrary

FILE = Path(__file__).with_name("data") / "TitanicSurvival.csv"
CATEGORIES: Mapping[str, Sequence[str]] = {
    "sex": ("female", "male"),
    "passenger_class": ("1st", "2nd", "3rd"),
    "embarked": ("Cherbourg", "Queenstown", "Southampton"),
}
"""The categorical features, in the order of the numbers that stand for them in the model."""
FEATURES = (*CATEGORIES, "age")
LABEL = "survived"
_PORTS = {"C": "Cherbourg", "Q": "Queenstown", "S": "Southampton"}
_NAME_LETTERS = 16
"""How much of a name both sources spell alike."""


def read_passengers() -> pd.DataFrame:
    """Return one row for each passenger: the features and the label, 0 or 1.

    263 ages are missing, and 4 ports: of 2 passengers whose names the sources spell differently, and of 2 for whom no
    port is recorded.

    Raises:
        MissingLibrary: nannyml, whose package has the ports, is not installed.
    """
    survival = pd.read_csv(FILE).rename(columns={"rownames": "name", "passengerClass": "passenger_class"})
    passengers = survival.assign(key=_key(survival)).merge(_ports(), on="key", how="left", validate="one_to_one")
    passengers[LABEL] = (passengers["survived"] == "yes").astype(int)
    return passengers[[*FEATURES, LABEL]]


def _ports() -> pd.DataFrame:
    """Return the ports of embarkation by key, from the data files of the package nannyml, which is not imported."""
    package = find_spec("nannyml")
    if package is None or package.origin is None:
        raise MissingLibrary("The ports of embarkation come with the package nannyml; install it (`make setup-dev`).")
    folder = Path(package.origin).parent / "datasets" / "data"
    listed = pd.concat([pd.read_csv(folder / f"titanic_{part}.csv") for part in ("reference", "analysis")])
    classes = {1: "1st", 2: "2nd", 3: "3rd"}
    listed = listed.rename(columns={"Name": "name", "Sex": "sex", "Age": "age"})
    listed = listed.assign(passenger_class=listed["Pclass"].map(classes), embarked=listed["Embarked"].map(_PORTS))
    return listed.assign(key=_key(listed))[["key", "embarked"]]


def _key(passengers: pd.DataFrame) -> pd.Series:
    """Return what identifies a passenger in both sources: the letters of the name, sex, class and age."""
    name = passengers["name"].str.replace("[^A-Za-z]", "", regex=True).str.lower().str[:_NAME_LETTERS]
    age = passengers["age"].round(2).astype(str)
    return name + " " + passengers["sex"] + " " + passengers["passenger_class"] + " " + age
