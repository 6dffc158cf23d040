"""What a test does with a page of AppTest and looks for on it."""

from collections.abc import Callable

import pytest
from conftest import until
from fake_function import FakeFunction, job_json, problem
from streamlit.testing.v1 import AppTest


def words(page: AppTest) -> str:
    """All that the page says, without the marks of Markdown."""
    kinds = [page.subheader, page.caption, page.markdown, page.info, page.success, page.warning, page.error]
    texts = [str(element.value) for kind in kinds for element in kind]
    labels = [box.label for box in [*page.status, *page.expander, *page.button]]
    texts += [str(code.value) for code in page.code]
    return "\n".join([*texts, *labels]).replace("\\", "").replace("**", "").replace("`", "")


def wait_for(page: AppTest, text: str) -> None:
    """Runs the script again, as its fragments do by themselves, until the page says so."""
    until(f'"{text}" on the page, which says:\n{words(page)}', lambda: text in words(page.run()))
    assert not page.exception


def triggers(fake: FakeFunction) -> int:
    return len(fake.asked("POST", "/trigger-sync"))


def button(page: AppTest) -> tuple[str, bool]:
    return page.button(key="sync").label, page.button(key="sync").disabled


def wait_for_button(page: AppTest, label: str) -> None:
    """Runs the script again until this is its button, and can be clicked: a sentence may come before it, or stay."""
    until(f'the button "{label}"', lambda: button(page.run()) == (label, False))


def click(page: AppTest) -> AppTest:
    """A click as soon as the button can be clicked, which waits for the first look."""
    until("a button that can be clicked", lambda: not button(page)[1] or not button(page.run())[1])
    return page.button(key="sync").click().run()


def click_late(page: AppTest) -> AppTest:
    """A click that was on its way before the button was drawn as disabled."""
    page.button(key="sync").proto.disabled = False
    return click(page)


def end(fake: FakeFunction, name: str, state: str = "succeeded", **members: object) -> None:
    fake.jobs[name] = job_json(name, state, age_s=6, **members)


def click_in_vain(fake: FakeFunction, open_page: Callable[[], AppTest], monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """A page whose click was tried until the client gave up, without a clear answer."""
    monkeypatch.setattr("sync_trigger._pause_s", lambda *_: 0.01)
    fake.answers["POST /trigger-sync"] = [problem(504, "outcome-unknown", "no answer from the API server")]
    page = click(open_page())
    wait_for(page, "Nobody knows yet whether the sync was started")
    wait_for_button(page, "Try again")  # the sentence is there at the first try
    return page
