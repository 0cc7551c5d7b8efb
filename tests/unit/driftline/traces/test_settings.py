"""Where traces are sent, and which settings are refused."""

import sys

import pytest

from driftline.errors import InvalidInput
from driftline.traces.settings import TraceSettings
from driftline.traces.start import traced


@pytest.mark.parametrize(
    "address", ["http://collector:4318", "http://collector:4318/", "http://collector:4318/v1/traces"]
)
def test_the_address_may_have_the_path_of_traces(address: str) -> None:
    assert TraceSettings(address=address).url == "http://collector:4318/v1/traces"


def test_headers_are_pairs() -> None:
    settings = TraceSettings.model_validate({"headers": "Authorization=Bearer a=b, x-tenant=7"})
    assert settings.header_values == {"authorization": "Bearer a=b", "x-tenant": "7"}
    assert TraceSettings().header_values == {}


@pytest.mark.parametrize("headers", ["a-secret", "=a-secret", "name=", "name=a-secret,"])
def test_headers_that_are_no_pairs_are_refused_without_showing_them(headers: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        TraceSettings.model_validate({"headers": headers})
    assert "DRIFTLINE_TRACES_HEADERS" in str(refusal.value)
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize("values", [{"address": "collector:4318"}, {"address": "http://a?b"}, {"share": 2}])
def test_settings_that_make_no_sense_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(InvalidInput, match="DRIFTLINE_TRACES_"):
        TraceSettings.model_validate(values)


def test_a_missing_library_is_named_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "driftline.traces.otlp", None)
    with (
        pytest.raises(InvalidInput, match=r"pip install 'driftline\[traces\]'"),
        traced("monitor", TraceSettings(address="http://a")),
    ):
        pass
