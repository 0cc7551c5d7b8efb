"""What is told about an incident follows from what was told before."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.engine.spec import ColumnSpec, Spec
from monitoring.alerts.messages.alert import AlertKind
from monitoring.alerts.messages.follow_ups import LastMessage, is_backfilled, kind_of
from monitoring.incidents.derivation import IncidentState
from monitoring.incidents.standing import Severity
from monitoring.incidents.stored_incidents import StoredIncident
from tests.unit.monitoring.alerts.examples import MAY_16, incident

OPEN, RESOLVED, WITHDRAWN = IncidentState
WARN, ALERT = Severity
K = AlertKind


def last_message(state: IncidentState = OPEN, severity: Severity = WARN, worst: Severity | None = None) -> LastMessage:
    return LastMessage("t", "title", K.OPENED, state, severity, worst or severity)


@pytest.mark.parametrize(
    ("last", "now", "kind"),
    [
        (None, (OPEN, WARN, WARN), K.OPENED),
        (None, (RESOLVED, ALERT, ALERT), K.RESOLVED),
        (None, (WITHDRAWN, ALERT, ALERT), None),
        (last_message(), (OPEN, WARN, WARN), None),
        (last_message(), (OPEN, ALERT, ALERT), K.WORSE),
        (last_message(OPEN, ALERT), (OPEN, WARN, ALERT), K.BETTER),
        (last_message(), (OPEN, WARN, ALERT), K.REVISED),
        (last_message(OPEN, ALERT), (RESOLVED, WARN, ALERT), K.RESOLVED),
        (last_message(OPEN, ALERT), (WITHDRAWN, WARN, ALERT), K.WITHDRAWN),
        (last_message(RESOLVED), (OPEN, WARN, WARN), K.REVISED),
        (last_message(RESOLVED), (WITHDRAWN, WARN, WARN), K.WITHDRAWN),
        (last_message(WITHDRAWN), (RESOLVED, WARN, WARN), K.REVISED),
    ],
)
def test_what_is_told(
    last: LastMessage | None, now: tuple[IncidentState, Severity, Severity], kind: AlertKind | None
) -> None:
    state, severity, worst = now
    assert kind_of(incident(state=state, severity=severity, worst=worst), last, backfilled=False) is kind


INCIDENTS = st.builds(
    lambda state, severity, worst: incident(state=state, severity=severity, worst=worst),
    st.sampled_from(IncidentState), st.sampled_from(Severity), st.sampled_from(Severity),
)  # fmt: skip


@given(INCIDENTS, INCIDENTS)
def test_a_message_follows_exactly_if_the_incident_has_changed(before: StoredIncident, now: StoredIncident) -> None:
    last = last_message(before.state, before.severity, before.worst)
    same = replace(before, number=1) == replace(now, number=1)
    assert (kind_of(now, last, backfilled=True) is None) is same


def test_nothing_begins_about_the_past_and_what_began_is_followed() -> None:
    assert kind_of(incident(), None, backfilled=True) is None
    assert kind_of(incident(severity=ALERT), last_message(), backfilled=True) is K.WORSE


def test_an_incident_is_backfilled_days_after_labels_were_due() -> None:
    spec = Spec(columns=(ColumnSpec(name="a"),), label_delay=timedelta(days=30))
    due = MAY_16 + timedelta(days=31)
    assert not is_backfilled(spec, incident(), due + timedelta(days=7), 7)
    assert is_backfilled(spec, incident(), due + timedelta(days=7, seconds=1), 7)
    over = incident(state=RESOLVED, backfill=True)
    assert is_backfilled(spec, over, MAY_16, 7)
    assert not is_backfilled(spec, replace(over, backfill=False), MAY_16, 7)
