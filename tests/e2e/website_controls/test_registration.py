"""A model is added with its form, and its next version."""

from playwright.sync_api import Page, expect

from tests.e2e.browser import Visitor
from tests.e2e.website_controls import controls_model as own
from tests.e2e.website_controls.steps import NEEDS_BROWSER, press

pytestmark = NEEDS_BROWSER


def test_a_model_is_added_with_its_form_and_its_lines_are_copied(person: Visitor, site: str) -> None:
    page = person.page
    page.goto(site)
    page.get_by_role("link", name="Add a model").click()
    upload(page, owner="")
    expect(page.get_by_role("heading", name="What was inferred")).to_be_visible()
    page.get_by_label("Time of each prediction").select_option("")
    press(page, "Review again")
    expect(page.get_by_role("alert")).to_contain_text("No column with the time of each prediction")
    chosen = {"timestamp": "timestamp", "label": "label", "prediction": "prediction", "id": "id"}
    for name, value in (chosen | {"problem": "binary", "chunk": "1d"}).items():
        page.locator(f"select[name={name}]").select_option(value)
    texts = {"name": own.NAME, "score": "score", "positive": "1", "label_delay": "PT1H", "alert_budget": "12"}
    for name, value in (texts | {"owner": "zoo"}).items():
        page.locator(f"[name={name}]").fill(value)
    press(page, "Review again")
    press(page, f"Register {own.NAME}")
    page.wait_for_url(f"**/models/{own.NAME}/connect")
    model = own.shown(site)
    spec = model["versions"][0]["specs"][0]["spec"]
    assert (model["owner"], spec["label_delay"], spec["alert_budget"], spec["period"]) == ("zoo", "PT1H", 12, "1d")
    copy_all(page)


def upload(page: Page, owner: str) -> None:
    page.get_by_label("Name of the model").fill(own.NAME)
    page.get_by_label("Owner, a person or a team").fill(owner)
    file = {"name": "reference.csv", "mimeType": "text/csv", "buffer": own.reference()}
    page.get_by_label("File").set_input_files(file)  # type: ignore[arg-type]
    press(page, "Upload and review")


def copy_all(page: Page) -> None:
    """Press each button that copies lines, and compare the clipboard with them."""
    boxes = page.locator("[data-copy]").all()
    assert boxes
    for box in boxes:
        box.get_by_role("button").click()
        expect(box.get_by_role("button")).to_have_text("Copied")
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied == box.locator("code").text_content()
        assert own.NAME in copied


def test_one_version_has_nothing_to_be_compared_with(person: Visitor, site: str) -> None:
    person.page.goto(f"{site}/models/{own.NAME}/compare")
    expect(person.page.locator("main")).to_contain_text("a comparison needs two")
    copy_all(person.page)


def test_an_upload_under_the_same_name_is_the_next_version(person: Visitor, site: str) -> None:
    page = person.page
    page.goto(f"{site}/register")
    upload(page, owner="zoo")
    page.get_by_label("False alerts a year at most").fill("6")
    press(page, "Review again")
    press(page, f"Register {own.NAME} as version 2")
    assert [version["version"] for version in own.shown(site)["versions"]] == [1, 2]
