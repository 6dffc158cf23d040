"""One click, one Job: whatever the tab, the reload or the moment, by AppTest against the contract's fake."""

from collections.abc import Callable
from dataclasses import replace
from threading import Event

import pytest
from conftest import until
from fake_function import Answer, FakeFunction, created_json, foreign, job_json, problem
from pages import button, click, click_in_vain, click_late, end, triggers, wait_for, wait_for_button, words
from streamlit.testing.v1 import AppTest

OpenPage = Callable[[], AppTest]


@pytest.fixture
def no_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend._hold_s", 0.0)


def keys(fake: FakeFunction) -> set[str]:
    return {request.headers["idempotency-key"] for request in fake.asked("POST", "/trigger-sync")}


def without_jobs_api(fake: FakeFunction) -> None:
    missing = [problem(501, "component-missing", "manifests/components/jobs-api grants this right")]
    fake.answers |= {f"GET {path}": missing for path in ("/jobs", "/jobs/latest", "/jobs/kraken-sync-m1")}


@pytest.mark.usefixtures("no_hold")
def test_a_click_in_a_second_tab_goes_on_with_the_job_of_the_first(fake: FakeFunction, open_page: OpenPage) -> None:
    first, second = open_page(), open_page()
    wait_for(second, "There is no run to show yet.")
    click(first)
    wait_for(first, "Kubernetes is starting it")
    fake.jobs["kraken-sync-m1"] = job_json("kraken-sync-m1")
    wait_for_button(second, "Sync now")
    click(second)
    wait_for(second, "Running for")
    assert "A sync was already running; this is that one." in words(second) and triggers(fake) == 1


def test_a_click_goes_on_with_a_job_that_somebody_else_started(fake: FakeFunction, open_page: OpenPage) -> None:
    page = open_page()
    wait_for(page, "There is no run to show yet.")
    fake.jobs["kraken-sync-1"] = job_json("kraken-sync-1", origin="scheduled")
    click(page)
    wait_for(page, "Started by the schedule")
    assert triggers(fake) == 0


@pytest.mark.usefixtures("no_hold")
def test_a_job_of_this_page_still_counts_when_a_newer_one_has_ended(fake: FakeFunction, open_page: OpenPage) -> None:
    first, second = open_page(), open_page()
    click(first)
    wait_for(first, "Kubernetes is starting it")
    fake.jobs["kraken-sync-2"] = job_json("kraken-sync-2", "succeeded", age_s=0)
    click(second)
    wait_for(second, "Job kraken-sync-m1")
    assert triggers(fake) == 1


def test_a_look_before_the_click_that_fails_for_a_while_starts_nothing_until_it_succeeds(
    fake: FakeFunction, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("attempt._look_pauses_s", (0.01, 0.01))
    page = open_page()
    wait_for(page, "There is no run to show yet.")
    fake.answers["GET /jobs/latest"] = [foreign(503, "upstream connect error")]
    click(page)
    wait_for(page, "The sync function is not ready")
    wait_for_button(page, "Try again")
    assert triggers(fake) == 0
    assert len(fake.asked("GET", "/jobs/latest")) == 4
    fake.answers["GET /jobs/latest"] = [foreign(503, "upstream connect error"), problem(404, "job-not-found", "none")]
    click(page)
    wait_for(page, "Kubernetes is starting it")
    assert triggers(fake) == 1


def test_the_button_waits_for_the_first_look(fake: FakeFunction, open_page: OpenPage) -> None:
    gate = Event()
    fake.jobs["kraken-sync-1"] = job_json("kraken-sync-1")
    fake.answers["GET /jobs/latest"] = [Answer(json=job_json("kraken-sync-1"), gate=gate)]
    page = open_page()
    assert button(page) == ("Sync now", True) and "Looking for the last run" in words(page)
    click_late(page)
    assert "Starting the sync" not in words(page)
    gate.set()
    wait_for(page, "Running for")
    assert triggers(fake) == 0


def test_a_first_look_that_fails_leaves_the_click_to_a_look_of_its_own(
    fake: FakeFunction, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend._passing_pause_s", 60.0)  # it does not look again before the click
    fake.answers["GET /jobs/latest"] = [foreign(503, "upstream connect error"), Answer(json=job_json("kraken-sync-1"))]
    fake.jobs["kraken-sync-1"] = job_json("kraken-sync-1")
    page = open_page()
    wait_for(page, "The sync function is not ready")
    assert button(page) == ("Sync now", False)
    click(page)
    wait_for(page, "Running for")
    assert triggers(fake) == 0


def test_a_page_that_is_loaded_after_an_unknown_outcome_sends_the_same_key(
    fake: FakeFunction, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    click_in_vain(fake, open_page, monkeypatch)
    page = open_page()
    wait_for(page, "Nobody knows yet whether the sync was started")
    assert button(page) == ("Try again", False)
    del fake.answers["POST /trigger-sync"]
    click(page)
    wait_for(page, "Kubernetes is starting it")
    assert len(keys(fake)) == 1
    end(fake, "kraken-sync-m1")
    wait_for(page, "The sync succeeded")
    later = open_page()
    wait_for(later, "Last run: manual, succeeded")
    assert button(later) == ("Sync now", False)


def test_an_outcome_stays_unknown_while_trying_again_is_refused(
    fake: FakeFunction, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = click_in_vain(fake, open_page, monkeypatch)
    fake.answers["POST /trigger-sync"] = [problem(401, "unauthenticated", "no token")]
    click(page)
    wait_for(page, "does not accept this page's credentials")
    del fake.answers["POST /trigger-sync"]
    later = open_page()
    until("a button", lambda: not button(later.run())[1])
    click(later)
    wait_for(later, "Kubernetes is starting it")
    assert len(keys(fake)) == 1


@pytest.mark.parametrize(("origin", "keys_sent"), [("manual", 2), ("scheduled", 1)])
def test_an_unknown_outcome_is_known_when_a_page_finds_a_manual_run(
    fake: FakeFunction, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch, origin: str, keys_sent: int
) -> None:
    click_in_vain(fake, open_page, monkeypatch)
    fake.jobs["kraken-sync-1"] = job_json("kraken-sync-1", origin=origin)
    page = open_page()
    wait_for(page, "Running for")
    assert "Nobody knows" not in words(page)
    end(fake, "kraken-sync-1", origin=origin)
    wait_for(page, "The sync succeeded")
    del fake.answers["POST /trigger-sync"]
    click(page)
    wait_for(page, "Kubernetes is starting it")
    assert len(keys(fake)) == keys_sent


def test_a_double_click_without_the_right_to_show_runs_makes_one_job(
    fake: FakeFunction, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend._hold_s", 60.0)
    without_jobs_api(fake)
    page, other = open_page(), open_page()
    wait_for(page, "The function may start")
    wait_for_button(other, "Sync now")
    click(page)
    wait_for(page, "The sync was started as Job kraken-sync-m1.")
    assert button(page) == ("Sync now", True)
    for tab in (page, other):
        click_late(tab)
        wait_for(tab, "The sync was started as Job kraken-sync-m1.")
    assert triggers(fake) == 1 and page.session_state["interval of manual sync"] is not None
    monkeypatch.setattr("backend._hold_s", 0.0)
    until("the page to rest", lambda: page.run() and page.session_state["interval of manual sync"] is None)
    assert button(page) == ("Sync now", False)
    click(page)
    wait_for(page, "Job kraken-sync-m2")
    assert triggers(fake) == 2


@pytest.mark.parametrize("is_found", [True, False])
def test_an_answer_that_breaks_off_is_told_and_the_run_is_looked_for(
    fake: FakeFunction, open_page: OpenPage, is_found: bool
) -> None:
    page = open_page()
    wait_for(page, "There is no run to show yet.")
    gate = Event()
    taken = Answer(json=created_json("kraken-sync-1"))
    fake.answers["POST /trigger-sync"] = [replace(taken, breaks_off=True, gate=gate)]
    click(page)
    until("the trigger", lambda: triggers(fake))
    if is_found:
        fake.jobs["kraken-sync-1"] = job_json("kraken-sync-1")
    gate.set()
    wait_for(page, "The function took the request, but its answer broke off")
    wait_for(page, "Running for" if is_found else "whether a run started shows in the list below")
    assert triggers(fake) == 1
