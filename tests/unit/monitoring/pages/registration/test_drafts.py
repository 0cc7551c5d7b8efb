"""Uploads are kept for a while, a few at a time."""

from datetime import UTC, datetime, timedelta

import pytest

from driftline.errors import NotFound
from driftline.ingest.errors import UnsupportedContent
from monitoring.pages.registration.drafts import LIFETIME, MOST_DRAFTS, Drafts

START = datetime(2026, 5, 1, tzinfo=UTC)


def test_an_upload_is_kept_until_its_time_is_over_or_newer_ones_come() -> None:
    now = START
    drafts = Drafts(lambda: now)
    with pytest.raises(UnsupportedContent, match=r"ends in \.csv"):
        drafts.add("reference.xlsx", b"")
    key, draft = drafts.add("Reference.CSV", b"at,y\n2026-05-01,1\n")
    assert (draft.columns, drafts.get(key).content().data) == (("at", "y"), b"at,y\n2026-05-01,1\n")
    for _ in range(MOST_DRAFTS - 1):
        drafts.add("other.csv", b"a,b\n1,2\n")
    assert drafts.get(key) == draft
    newest, _ = drafts.add("one-more.csv", b"a,b\n1,2\n")
    with pytest.raises(NotFound, match="upload the reference again"):
        drafts.get(key)
    assert not draft.path.exists()
    now += LIFETIME + timedelta(seconds=1)
    with pytest.raises(NotFound):
        drafts.get(newest)
