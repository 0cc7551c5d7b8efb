"""Which source the settings name."""

from inspect import signature
from pathlib import Path

import pytest

import flaskapp
from driftline.errors import InvalidInput
from flaskapp import load_history
from flaskapp.raw import command
from flaskapp.raw.command import source_of
from flaskapp.raw.google_object import GoogleObject
from flaskapp.raw.source import NotConfigured
from flaskapp.raw.stored_object import StoredObject
from flaskapp.settings import RawDataSettings

EMULATED = "http://127.0.0.1:1"


def settings(**values: str) -> RawDataSettings:
    return RawDataSettings.model_validate({"STORAGE_EMULATOR_HOST": EMULATED, **values})


@pytest.mark.parametrize("values", [{}, {"bucket": "b"}, {"object": "o"}, {"bucket": "", "object": ""}])
def test_a_bucket_without_an_object_is_not_configured(values: dict[str, str]) -> None:
    with pytest.raises(NotConfigured, match="set RAW_DATA_BUCKET and RAW_DATA_OBJECT, or RAW_DATA_URL"):
        source_of(settings(**values))


def test_raw_data_is_downloaded_to_where_it_is_loaded_from() -> None:
    """No option: `make fetch-data` and then `python -m flaskapp.load_history`."""
    downloaded, loaded = (
        signature(script).parameters["folder"].default for script in (command.main, load_history.main)
    )
    assert downloaded == loaded == Path(flaskapp.__path__[0]) / "DataFile"
    assert (loaded / "download_raw_data.py").exists()


def test_a_bucket_and_its_object_or_one_address(tmp_path: Path) -> None:
    assert settings(bucket="b", object="a/o.csv").address == "gs://b/a/o.csv"
    assert settings(bucket="b", object="o", url="gs://c/p").address == "gs://c/p"
    assert isinstance(source_of(settings(bucket="b", object="a/o.csv")), GoogleObject)
    assert isinstance(source_of(settings(url=f"{tmp_path}/RawData.csv")), StoredObject)


def test_an_invalid_bucket_name_is_reported() -> None:
    with pytest.raises(InvalidInput, match="'My_Bucket!' is not a valid bucket name; correct RAW_DATA_BUCKET"):
        source_of(settings(bucket="My_Bucket!", object="o"))


@pytest.mark.parametrize("url", ["gs://bucket", "gs://bucket/", "gs:///name", "ftp://host/name", "s3:///"])
def test_an_address_without_an_object_is_rejected(url: str) -> None:
    with pytest.raises(InvalidInput):
        source_of(settings(url=url))
