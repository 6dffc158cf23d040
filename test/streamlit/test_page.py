"""The page's states, by Streamlit's own AppTest against the contract's fake."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Barrier, BrokenBarrierError, Event, Thread
from threading import enumerate as enumerate_threads

import advice
import pytest
from advice import explain_error
from backend import Backend, connect
from background import LogTail, Poll
from conftest import PAGE, until
from contract import codes_of
from fake_function import (
    Answer,
    FakeFunction,
    Request,
    created_json,
    foreign,
    job_json,
    problem,
    serve,
    step_json,
)
from pages import button, click, click_in_vain, click_late, end, triggers, wait_for, wait_for_button, words
from streamlit.testing.v1 import AppTest
from sync_trigger import SyncTriggerError


def lines(page: AppTest) -> dict[str, str]:
    """The lines of the timeline and how each stands."""
    found = {box.label.replace("**", "").split(" :green")[0]: box.state for box in page.status}
    return found | {box.label: "open" for box in page.expander if box.label.endswith("sync")}


def looks(fake: FakeFunction) -> list[Request]:
    return fake.asked("GET", "/jobs/kraken-sync-1")


def test_an_idle_page_has_one_button_and_no_text_input(open_page: Callable[[], AppTest]) -> None:
    page = open_page()
    wait_for(page, "There is no run to show yet.")
    wait_for_button(page, "Sync now")
    assert not page.text_input and not page.text_area


def test_an_idle_page_does_not_ask_again_so_that_the_function_can_sleep(
    fake: FakeFunction, open_page: Callable[[], AppTest]
) -> None:
    end(fake, "kraken-sync-1")
    page = open_page()
    wait_for(page, "Last run: manual, succeeded")
    for _ in range(5):
        page.run()
    assert (len(fake.asked("GET", "/jobs/latest")), len(fake.asked("GET", "/jobs"))) == (1, 1)


def test_a_click_shows_each_step_as_it_happens_then_the_result(
    fake: FakeFunction, open_page: Callable[[], AppTest]
) -> None:
    page = click(open_page())
    wait_for(page, "Kubernetes is starting it")
    assert button(page) == ("Syncing…", True)
    name = "kraken-sync-m1"
    fake.logs[name] = ["trade sync: started"]
    fake.jobs[name] = job_json(name, steps=[step_json("trades"), step_json("rewards")])
    wait_for(page, "Running for")
    wait_for(page, "trade sync: started")
    assert lines(page)["Trade sync"] == "running" and lines(page)["Reward sync"] == "open"

    fake.jobs[name] = job_json(name, steps=[step_json("trades", "117 trades written"), step_json("rewards")])
    wait_for(page, "117 trades written")
    assert lines(page)["Trade sync"] == "complete" and lines(page)["Reward sync"] == "running"

    steps = [step_json("trades", "117 trades written"), step_json("rewards", "28 rewards written")]
    fake.logs[name].append("kraken-sync: done")
    end(fake, name, steps=steps)
    wait_for(page, "The sync succeeded in 6 s.")
    wait_for(page, "kraken-sync: done")
    assert lines(page)["Reward sync"] == "complete" and button(page) == ("Sync now", False)
    assert triggers(fake) == 1


def test_a_second_click_or_a_rerun_in_mid_run_makes_no_second_job(
    fake: FakeFunction, open_page: Callable[[], AppTest]
) -> None:
    page = open_page()
    gate = Event()
    fake.answers["POST /trigger-sync"] = [Answer(json=created_json("kraken-sync-1"), gate=gate)]
    click(page)
    assert "Starting the sync" in words(page)
    click_late(page)
    until("the trigger", lambda: triggers(fake))
    fake.jobs["kraken-sync-1"] = job_json("kraken-sync-1")
    gate.set()
    wait_for(page, "Running for")
    click_late(page)
    page.run()
    click_late(page)
    assert triggers(fake) == 1


def test_a_click_that_comes_while_a_run_is_followed_starts_nothing_even_if_streamlit_lets_it_through(
    fake: FakeFunction,
) -> None:
    def script(url: str) -> None:
        import streamlit as st
        from backend import connect
        from manual_sync import _start

        st.session_state["job"] = "kraken-sync-1"
        backend = st.session_state.setdefault("backend", connect(url, None))
        _start(backend)
        st.write("attempted" if "attempt" in st.session_state else "left alone")

    fake.jobs["kraken-sync-1"] = job_json("kraken-sync-1")
    page = AppTest.from_function(script, args=(fake.url,)).run()
    until("a look", lambda: looks(fake))
    assert page.run().markdown[0].value == "left alone" and triggers(fake) == 0
    end(fake, "kraken-sync-1")
    until("a click after the end", lambda: page.run().markdown[0].value == "attempted")


def test_the_same_key_is_sent_until_an_answer_is_a_success_and_then_never_again(
    fake: FakeFunction, open_page: Callable[[], AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = click_in_vain(fake, open_page, monkeypatch)
    assert button(page) == ("Try again", False) and triggers(fake) == 5
    del fake.answers["POST /trigger-sync"]
    click(page)
    wait_for(page, "Kubernetes is starting it")
    keys = {request.headers["idempotency-key"] for request in fake.asked("POST", "/trigger-sync")}
    assert len(keys) == 1 and triggers(fake) == 6

    end(fake, "kraken-sync-m1")
    wait_for(page, "The sync succeeded")
    click(page)
    wait_for(page, "Kubernetes is starting it")
    assert len({request.headers["idempotency-key"] for request in fake.asked("POST", "/trigger-sync")}) == 2


def test_a_reload_in_mid_run_goes_on_with_the_running_job(fake: FakeFunction, open_page: Callable[[], AppTest]) -> None:
    click(open_page())
    until("the Job", lambda: fake.jobs)
    fake.jobs["kraken-sync-m1"] = job_json("kraken-sync-m1")
    page = open_page()
    wait_for(page, "Running for")
    assert button(page) == ("Syncing…", True) and triggers(fake) == 1


def test_a_reload_while_the_trigger_is_under_way_does_not_start_another(
    fake: FakeFunction, open_page: Callable[[], AppTest]
) -> None:
    first = open_page()
    gate = Event()
    fake.answers["POST /trigger-sync"] = [Answer(json=created_json("kraken-sync-1"), gate=gate)]
    click(first)
    page = open_page()
    assert button(page) == ("Syncing…", True) and "Starting the sync" in words(page)
    gate.set()
    fake.jobs["kraken-sync-1"] = job_json("kraken-sync-1")
    wait_for(page, "Running for")
    assert triggers(fake) == 1


def test_a_page_that_was_loaded_again_while_a_trigger_failed_tries_again_with_its_key(
    fake: FakeFunction, open_page: Callable[[], AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync_trigger._pause_s", lambda *_: 0.01)
    gate = Event()
    lost = problem(504, "outcome-unknown", "no answer from the API server")
    fake.answers["POST /trigger-sync"] = [replace(lost, gate=gate)]
    click(open_page())
    page = open_page()
    assert button(page) == ("Syncing…", True)
    gate.set()
    wait_for(page, "Nobody knows yet whether the sync was started")
    wait_for_button(page, "Try again")
    del fake.answers["POST /trigger-sync"]
    click(page)
    wait_for(page, "Kubernetes is starting it")
    assert len({request.headers["idempotency-key"] for request in fake.asked("POST", "/trigger-sync")}) == 1


@pytest.mark.parametrize(("code", "is_over"), [("unauthenticated", False), ("job-not-found", True)])
def test_a_log_is_given_up_only_when_it_cannot_come_back(
    monkeypatch: pytest.MonkeyPatch, code: str, is_over: bool
) -> None:
    monkeypatch.setattr("background._mended_pause_s", 0.01)
    answers = iter([False, True])

    def stream(_tail_lines: int, _keep_on: Callable[[], bool]) -> Iterator[str]:
        if not next(answers):
            raise SyncTriggerError(code, "no", 401)
        yield "one"

    tail = LogTail(stream)
    tail.read()
    until("the end", lambda: tail.is_over)
    assert tail.read() == ([] if is_over else ["one"])


def test_a_look_that_fails_unexpectedly_is_told_and_followed_by_others(caplog: pytest.LogCaptureFixture) -> None:
    answers = iter([ValueError("why"), None])
    seen_first = Event()

    def look() -> str:
        if error := next(answers):
            raise error
        seen_first.wait(45)
        return "one"

    poll = Poll(look, lambda seen: 0.01 if seen.error else None)
    first = poll.read(5)
    assert first is not None and first.error is not None
    assert (first.error.code, first.error.detail) == ("page-error", "ValueError") and "why" in caplog.text
    seen_first.set()
    until("the end", poll.is_over)
    assert poll.seen is not None and (poll.seen.value, poll.seen.error) == ("one", None)


def test_a_log_that_fails_unexpectedly_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("background._mended_pause_s", 0.01)
    answers = iter([ValueError("why"), None])

    def stream(_tail_lines: int, _keep_on: Callable[[], bool]) -> Iterator[str]:
        if error := next(answers):
            raise error
        yield "one"

    tail = LogTail(stream)
    tail.read()
    until("the end", lambda: tail.is_over)
    assert tail.read() == ["one"] and tail.error is None


def test_two_sessions_that_ask_for_a_run_at_once_share_its_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    both, made = Barrier(2), []

    def poll_job(_self: Backend, name: str) -> Poll[str]:
        made.append(name)
        with suppress(BrokenBarrierError):
            both.wait(0.5)  # for the other session to be here too, which it must not
        return Poll(lambda: name, lambda _seen: None)

    monkeypatch.setattr(Backend, "_poll_job", poll_job)
    backend = connect("http://127.0.0.1:1", None)
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(backend.job, ["j", "j"])
    assert first is second and made == ["j"]


@pytest.mark.parametrize(
    ("answer", "sentences"),
    [
        (problem(401, "unauthenticated", "none"), ["does not accept this page's credentials", "Mount a valid"]),
        (problem(501, "component-missing", "get pods/log; jobs-api"), ["may start the sync but not show", "jobs-api"]),
        (problem(503, "api-unavailable", "down"), ["The log broke off; it comes back by itself."]),
    ],
)
def test_a_log_that_cannot_be_read_says_why_and_what_to_do(
    fake: FakeFunction, open_page: Callable[[], AppTest], answer: Answer, sentences: list[str]
) -> None:
    fake.jobs["j"] = job_json("j")
    fake.answers["GET /jobs/j/logs"] = [answer]
    page = open_page()
    for sentence in sentences:
        wait_for(page, sentence)


@pytest.mark.parametrize("code", ["no-log-yet", "no-log"])
def test_a_run_that_ended_without_a_log_is_not_asked_for_one_for_ever(
    fake: FakeFunction, open_page: Callable[[], AppTest], monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    monkeypatch.setattr("background._mended_pause_s", 0.1)
    path = "GET /jobs/j/logs"
    fake.jobs["j"] = job_json("j", "queued", reason="ImagePullBackOff")
    fake.answers[path] = [problem(404, "no-log-yet", "Job j is queued and has no log", {"Retry-After": "1"})]
    page = open_page()
    wait_for(page, "its image cannot be pulled")
    until("two looks for the log", lambda: page.run() and len(fake.asked(*path.split())) >= 2)
    end(fake, "j", "failed", reason="DeadlineExceeded")
    fake.answers[path] = [problem(404, code, "Job j is failed and has no log")]
    wait_for(page, "The run has ended and left no log.")
    until("the page to rest", lambda: page.run() and page.session_state["interval of manual sync"] is None)


def test_a_run_of_the_schedule_is_shown_while_it_runs(fake: FakeFunction, open_page: Callable[[], AppTest]) -> None:
    fake.jobs["kraken-sync-1"] = job_json("kraken-sync-1", origin="scheduled")
    page = open_page()
    wait_for(page, "Started by the schedule")
    assert button(page) == ("Syncing…", True)


def test_a_refusal_because_of_another_run_shows_that_run(fake: FakeFunction, open_page: Callable[[], AppTest]) -> None:
    page = open_page()
    fake.jobs["kraken-sync-1"] = job_json("kraken-sync-1")
    job = created_json("kraken-sync-1")["job"]
    fake.answers["GET /jobs/latest"] = [problem(404, "job-not-found", "looked at a moment before it was made")]
    fake.answers["POST /trigger-sync"] = [problem(409, "refused", "unfinished", outcome="refused", job=job)]
    click(page)
    wait_for(page, "A sync is already running, and a second one is not allowed beside it; this is that one.")
    wait_for(page, "Running for")


@pytest.mark.parametrize(
    ("answer", "sentences"),
    [
        (
            problem(401, "unauthenticated", "no token"),
            ["does not accept this page's credentials", "Mount a valid token"],
        ),
        (problem(403, "not-allowed", "not allowed"), ["does not let it start the sync: not allowed", "AUTH_ settings"]),
        (
            problem(404, "cronjob-not-found", "CronJob kraken/kraken-sync does not exist"),
            ["CronJob kraken/kraken-sync does not exist", "Create the CronJob, or correct CRONJOB_NAME"],
        ),
        (
            problem(409, "refused", "the CronJob is suspended", job=None),
            ["refused: the CronJob is suspended", '{"spec":{"suspend":false}}'],
        ),
        (problem(422, "invalid-field", "unknown field"), ["does not understand", "update the page"]),
        (
            problem(502, "api-refused", "manifests/rights grants it"),
            ["refuses what the function asks: manifests/rights"],
        ),
        (problem(503, "api-unavailable", "no answer"), ["cannot do it now: no answer", "never makes a second Job"]),
        (problem(504, "outcome-unknown", "too late"), ["Nobody knows yet", "never makes a second Job"]),
        (foreign(429), ["Too many requests at once", "never makes a second Job"]),
        (foreign(503, "upstream connect error"), ["is not ready", "wait a moment"]),
        (foreign(404, "<html>"), ["What answers at", "is not the sync function", "SYNC_TRIGGER_URL"]),
        (foreign(200, "<html>"), ["is not the sync function"]),
        (
            replace(problem(418, "teapot", "short and stout"), is_foreign=True),
            ["answered 418 (teapot): short and stout", "Request req-1"],
        ),
    ],
)
def test_an_error_is_a_sentence_with_what_to_do(
    fake: FakeFunction,
    open_page: Callable[[], AppTest],
    monkeypatch: pytest.MonkeyPatch,
    answer: Answer,
    sentences: list[str],
) -> None:
    monkeypatch.setattr("sync_trigger._pause_s", lambda *_: 0.01)
    fake.answers["POST /trigger-sync"] = [answer]
    page = click(open_page())
    wait_for(page, sentences[0])
    wait_for_button(page, "Try again")  # some are there at the first try
    for sentence in sentences:
        assert sentence in words(page)
    assert fake.jobs == {}


PAGE_ASKS = ("POST /trigger-sync", "GET /jobs", "GET /jobs/{name}", "GET /jobs/{name}/logs")


@pytest.mark.parametrize(("code", "status"), codes_of(*PAGE_ASKS).items())
def test_each_error_that_the_function_documents_has_words_of_its_own(code: str, status: int) -> None:
    assert not explain_error(SyncTriggerError(code, "why", status), "http://s.n.svc").sentence.startswith(
        "The sync function answered"
    )


def test_no_words_are_for_an_error_that_the_function_does_not_have() -> None:
    known = codes_of(*PAGE_ASKS)
    of_page = {"bad-token", "no-log", "page-error"}  # the client's and the page's own
    assert set(advice._by_code) - set(known) | {"no-log"} == of_page  # newer functions say "no-log" too
    assert set(advice._by_status) - set(known.values()) == {429}  # a gateway's


def test_a_function_that_is_down_is_told_and_the_page_recovers_when_it_is_up_again(
    fake: FakeFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend._passing_pause_s", 0.1)
    with serve(fake):
        port = int(fake.url.rpartition(":")[2])
    monkeypatch.setenv("SYNC_TRIGGER_URL", fake.url)
    page = AppTest.from_file(str(Path(PAGE).resolve()), default_timeout=45).run()
    wait_for(page, f"The sync function does not answer at {fake.url}.")
    wait_for(page, "look for it: kubectl -n NAMESPACE get ksvc sync-trigger,")
    assert "or without Knative kubectl -n NAMESPACE get deployment sync-trigger." in words(page)
    assert "no run to show yet" not in words(page) and "" not in [caption.value for caption in page.caption]
    with serve(fake, port):
        # The list and the last run are asked for apart: either may be the first to hear that the function is back.
        wait_for(page, "There is no run to show yet.")
        until("no error", lambda: not page.run().error)
        assert button(page) == ("Sync now", False)


@pytest.mark.parametrize(
    "url",
    [
        "sync-trigger.kraken.svc.cluster.local",
        "http://",
        "http:///trigger-sync",
        "ftp://host",
        "http://[bad",
        "http://host:x",
        "http://host:99999",
        "http://h ost",
    ],
)
def test_an_address_that_is_none_is_a_sentence_that_names_the_setting(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("SYNC_TRIGGER_URL", url)
    page = AppTest.from_file(str(Path(PAGE).resolve()), default_timeout=45).run()
    assert [error.value.split(".**")[0] for error in page.error] == ["**`SYNC_TRIGGER_URL` is not an address"]
    assert not page.exception and not page.button


def test_a_function_that_goes_down_in_mid_run_keeps_what_was_seen_and_comes_back(
    fake: FakeFunction, open_page: Callable[[], AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend._passing_pause_s", 0.1)
    fake.jobs["kraken-sync-1"] = job_json("kraken-sync-1", steps=[step_json("trades", "117 trades written")])
    page = open_page()
    wait_for(page, "117 trades written")
    fake.answers["GET /jobs/kraken-sync-1"] = [foreign(503, "upstream connect error")]
    wait_for(page, "is not ready")
    assert "117 trades written" in words(page) and button(page) == ("Syncing…", True)
    del fake.answers["GET /jobs/kraken-sync-1"]
    end(fake, "kraken-sync-1")
    wait_for(page, "The sync succeeded")
    assert not page.error


def test_a_function_that_hangs_does_not_block_the_script(fake: FakeFunction, open_page: Callable[[], AppTest]) -> None:
    gate = Event()
    hanging = [Answer(json={"jobs": []}, gate=gate, is_foreign=True)]
    fake.answers |= {"GET /jobs/latest": hanging, "GET /jobs": hanging, "POST /trigger-sync": hanging}
    page = open_page()
    assert "Looking for the last run" in words(page)
    fake.answers["GET /jobs/latest"] = [problem(404, "job-not-found", "none")]
    gate.set()
    wait_for(page, "Recent runs")
    until("a button", lambda: not button(page.run())[1])
    gate.clear()
    click(page)
    assert "Starting the sync" in words(page)
    gate.set()


def test_without_the_right_to_show_runs_the_button_still_works(
    fake: FakeFunction, open_page: Callable[[], AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = [problem(501, "component-missing", "manifests/components/jobs-api grants this right")]
    fake.answers |= {f"GET {path}": missing for path in ("/jobs", "/jobs/latest", "/jobs/kraken-sync-m1")}
    page = open_page()
    wait_for(page, "The function may start the sync but not show its progress.")
    wait_for_button(page, "Sync now")
    assert "manifests/components/jobs-api" in words(page)
    monkeypatch.setattr("backend._hold_s", 0.5)
    click(page)
    wait_for(page, "The sync was started as Job kraken-sync-m1.")
    until("the button", lambda: button(page.run()) == ("Sync now", False))
    assert triggers(fake) == 1


@pytest.mark.parametrize(
    ("members", "sentences"),
    [
        (
            {"reason": "BackoffLimitExceeded", "message": "container sync ended with exit code 3", "exitCode": 3},
            ["The sync failed with exit code 3 (BackoffLimitExceeded).", "container sync ended", "mend the cause"],
        ),
        ({"reason": "DeadlineExceeded"}, ["took longer than it may", "activeDeadlineSeconds"]),
        (
            {"reason": "BackoffLimitExceeded", "message": "exit code 137 (OOMKilled)", "exitCode": 137},
            ["ran out of memory", "memory limit"],
        ),
        ({}, ["The sync failed."]),
    ],
)
def test_a_failed_run_shows_its_reason_and_its_last_lines(
    fake: FakeFunction, open_page: Callable[[], AppTest], members: dict[str, object], sentences: list[str]
) -> None:
    fake.jobs["kraken-sync-1"] = job_json("kraken-sync-1", steps=[step_json("rewards")])
    fake.logs["kraken-sync-1"] = []
    page = open_page()
    wait_for(page, "Running for")
    end(fake, "kraken-sync-1", "failed", steps=[step_json("rewards")], lastLines=["told to fail"], **members)
    for sentence in [*sentences, "told to fail", "not seen in the log", "It ran for 6 s."]:
        wait_for(page, sentence)
    assert lines(page)["Reward sync"] == "open" and "error" in lines(page).values()
    assert button(page) == ("Sync now", False)


@pytest.mark.parametrize(
    ("reason", "sentence", "remedy"),
    [
        ("ImagePullBackOff", "its image cannot be pulled (ImagePullBackOff).", "pull secret"),
        ("InvalidImageName", "its image has no valid name (InvalidImageName).", "Nothing mends this Job."),
        ("Suspended", "the Job is suspended (Suspended).", 'patch job kraken-sync-1 -p \'{"spec":{"suspend":false}}\''),
        ("SchedulingGated", "Kubernetes cannot start it yet (SchedulingGated).", "look at the Job's pod"),
    ],
)
def test_a_run_that_waits_says_for_what(
    fake: FakeFunction, open_page: Callable[[], AppTest], reason: str, sentence: str, remedy: str
) -> None:
    fake.jobs["kraken-sync-1"] = job_json("kraken-sync-1", "queued", reason=reason, message="why it waits")
    page = open_page()
    wait_for(page, f"The sync waits: {sentence}")
    assert "why it waits" in words(page) and remedy in words(page)


@pytest.mark.parametrize("reason", ["InvalidImageName", "Suspended", "NoPod"])
def test_a_run_that_cannot_start_says_how_to_be_rid_of_it_and_the_button_is_free_once_it_is_gone(
    fake: FakeFunction, open_page: Callable[[], AppTest], reason: str
) -> None:
    fake.jobs["kraken-sync-1"] = job_json("kraken-sync-1", "queued", age_s=40, reason=reason)
    page = open_page()
    wait_for(page, "kubectl -n kraken delete job kraken-sync-1. After that the page lets you start again.")
    assert button(page) == ("Syncing…", True) and "start another sync" not in words(page)
    fake.jobs.clear()
    wait_for(page, "This run is no longer there.")
    assert button(page) == ("Sync now", False)
    click(page)
    wait_for(page, "Job kraken-sync-m1")


def test_a_run_that_kubernetes_is_starting_is_no_warning(fake: FakeFunction, open_page: Callable[[], AppTest]) -> None:
    fake.jobs["kraken-sync-1"] = job_json("kraken-sync-1", "queued", reason="ContainerCreating")
    page = open_page()
    wait_for(page, "Kubernetes is starting it")
    assert "The sync waits" not in words(page)


@pytest.mark.parametrize(("age_s", "is_long"), [(20, False), (40, True)])
def test_a_run_without_a_pod_says_where_to_look_after_a_while(
    fake: FakeFunction, open_page: Callable[[], AppTest], age_s: float, is_long: bool
) -> None:
    fake.jobs["kraken-sync-1"] = job_json("kraken-sync-1", "queued", age_s, reason="NoPod", message="no pod yet")
    page = open_page()
    wait_for(page, "Kubernetes has made no pod for it (NoPod)." if is_long else "Kubernetes is starting it")
    assert ("kubectl -n kraken describe job kraken-sync-1" in words(page)) is is_long
    assert ("Kubernetes is starting it" in words(page)) is not is_long


def test_a_run_that_is_removed_while_it_is_followed_is_told(
    fake: FakeFunction, open_page: Callable[[], AppTest]
) -> None:
    fake.jobs["kraken-sync-1"] = job_json("kraken-sync-1")
    page = open_page()
    wait_for(page, "Running for")
    fake.jobs.clear()
    wait_for(page, "This run is no longer there.")
    assert "history limits" in words(page) and button(page) == ("Sync now", False)


@pytest.mark.parametrize("state", ["running", "queued"])
def test_a_run_that_is_gone_stands_still_where_it_was_seen_last(
    fake: FakeFunction, open_page: Callable[[], AppTest], state: str
) -> None:
    steps = [step_json("trades", "117 trades written"), step_json("rewards")]
    fake.jobs["kraken-sync-1"] = job_json("kraken-sync-1", state, steps=steps)
    page = open_page()
    wait_for(page, "117 trades written")
    assert "running" in lines(page).values()
    fake.jobs.clear()
    wait_for(page, "Not seen any further")
    for _ in range(2):
        assert "running" not in lines(page.run()).values() and "waiting" not in words(page).splitlines()
        assert "117 trades written" in words(page) and words(page).count("This run is no longer there.") == 1


def test_a_run_that_is_removed_at_its_end_still_shows_how_it_ended(
    fake: FakeFunction, open_page: Callable[[], AppTest]
) -> None:
    name = "kraken-sync-1"
    fake.jobs[name] = job_json(name)
    page = open_page()
    wait_for(page, "Running for")
    until("a wait", lambda: fake.asked("GET", f"/jobs/{name}", waits=True))
    fake.ends[name] = job_json(name, "succeeded", age_s=6)
    del fake.jobs[name]
    wait_for(page, "The sync succeeded in 6 s.")
    assert not page.error and button(page) == ("Sync now", False)
    until("the list after the end", lambda: page.run() and len(fake.asked("GET", "/jobs")) == 2)
    assert page.run().dataframe and page.dataframe[0].value["State"].tolist() == ["✓ Succeeded"]


def test_two_people_who_look_at_a_run_cost_one_wait_and_one_look_a_second(
    fake: FakeFunction, open_page: Callable[[], AppTest]
) -> None:
    fake.jobs["kraken-sync-1"] = job_json("kraken-sync-1")
    began_at = time.monotonic()
    pages = [open_page(), open_page()]
    until("four looks", lambda: all(page.run() for page in pages) and len(looks(fake)) >= 4)
    assert len(fake.asked("GET", "/jobs/kraken-sync-1", waits=True)) == 1
    assert len(looks(fake)) <= 1 + (time.monotonic() - began_at)


def test_nobody_waits_any_more_for_a_run_that_nobody_looks_at(
    fake: FakeFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("background._idle_s", 0.5)
    monkeypatch.setattr("backend._wait_s", 1)
    fake.jobs["kraken-sync-1"] = job_json("kraken-sync-1")
    before = set(enumerate_threads())
    connect(fake.url, None).job("kraken-sync-1").read()
    threads: set[Thread] = set()

    def have_begun() -> object:
        threads.update(thread for thread in set(enumerate_threads()) - before if "_run" in thread.name)
        return looks(fake) and fake.asked("GET", "/jobs/kraken-sync-1", waits=True)

    until("a look and a wait", have_begun)
    assert len(threads) == 2
    until("both to end", lambda: not any(thread.is_alive() for thread in threads))


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        (
            {"outcome": "skipped", "job": None, "reason": "it succeeded at noon", "links": {}},
            "Nothing was started: it succeeded at noon.",
        ),
        (
            created_json("j", "duplicate", uid=None, createdAt=None),
            "This request had started a sync before, as Job j, which is no longer there. There is no second one.",
        ),
    ],
)
def test_an_outcome_without_a_job_to_follow_is_told(
    fake: FakeFunction, open_page: Callable[[], AppTest], outcome: dict[str, object], text: str
) -> None:
    fake.answers["POST /trigger-sync"] = [Answer(json=outcome)]
    page = click(open_page())
    wait_for(page, text)
    assert button(page) == ("Sync now", False)


def test_a_request_that_had_started_a_run_hours_ago_shows_that_run_and_says_so(
    fake: FakeFunction, open_page: Callable[[], AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = click_in_vain(fake, open_page, monkeypatch)
    fake.keys[fake.requests[-1].headers["idempotency-key"]] = "kraken-sync-1"
    fake.jobs["kraken-sync-1"] = job_json("kraken-sync-1", "succeeded", age_s=7_200, durationMs=6_000)
    del fake.answers["POST /trigger-sync"]
    click(page)
    wait_for(page, "The sync succeeded in 6 s.")
    assert "This request was received before: this is the sync that it started. There is no second one." in words(page)
    assert button(page) == ("Sync now", False)
    click(page)
    wait_for(page, "Kubernetes is starting it")
    assert "had started" not in words(page)


def test_a_joined_run_is_followed(fake: FakeFunction, open_page: Callable[[], AppTest]) -> None:
    page = open_page()
    fake.answers["GET /jobs/latest"] = [problem(404, "job-not-found", "looked at a moment before it was made")]
    fake.answers["POST /trigger-sync"] = [Answer(json=created_json("kraken-sync-1", "joined"))]
    fake.jobs["kraken-sync-1"] = job_json("kraken-sync-1")
    click(page)
    wait_for(page, "A sync was already running; this is that one.")
    wait_for(page, "Running for")
    assert triggers(fake) == 1


def test_a_rotated_token_is_used_and_a_missing_one_is_told(
    fake: FakeFunction, open_page: Callable[[], AppTest], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "token"
    monkeypatch.setenv("SYNC_TRIGGER_TOKEN_FILE", str(file))
    page = open_page()
    wait_for(page, "The page's access token cannot be used")
    assert "SYNC_TRIGGER_TOKEN_FILE" in words(page) and fake.requests == []
    file.write_text("first\n")
    click(page)
    wait_for(page, "Kubernetes is starting it")
    file.write_text("second\n")
    until("the rotated token", lambda: page.run() and fake.requests[-1].headers["authorization"] == "Bearer second")
    assert fake.asked("POST", "/trigger-sync")[0].headers["authorization"] == "Bearer first"
    assert "first" not in words(page) and "second" not in words(page)


def test_recent_runs_tell_manual_and_scheduled_apart(fake: FakeFunction, open_page: Callable[[], AppTest]) -> None:
    end(fake, "kraken-sync-1", origin="scheduled")
    end(fake, "kraken-sync-2", "failed", requestedReason="Settings page", requestedBy="ann")
    page = open_page()
    until("the table", lambda: page.run().dataframe)
    table = page.dataframe[0].value.sort_values("Job")
    assert table["Origin"].tolist() == ["Scheduled", "Manual"]
    assert table["State"].tolist() == ["✓ Succeeded", "✗ Failed"]
    assert table["Duration"].tolist() == ["6 s", "6 s"]
    assert table["Why"].tolist() == ["", "Settings page by ann"]


def test_the_row_of_the_followed_run_stands_as_the_run_above_without_another_request(
    fake: FakeFunction, open_page: Callable[[], AppTest]
) -> None:
    fake.jobs["kraken-sync-1"] = job_json("kraken-sync-1", "queued", age_s=0)
    page = open_page()
    until("the row", lambda: page.run().dataframe)
    assert page.dataframe[0].value["State"].tolist() == ["… Queued"]
    fake.jobs["kraken-sync-1"] = job_json("kraken-sync-1")
    wait_for(page, "Running for")
    assert page.dataframe[0].value["State"].tolist() == ["▶ Running"]
    assert page.dataframe[0].value["Duration"].tolist() == [""]
    assert len(fake.asked("GET", "/jobs")) == 1


def test_what_is_not_known_is_not_called_an_empty_list(fake: FakeFunction, open_page: Callable[[], AppTest]) -> None:
    page = open_page()
    wait_for(page, "There is no run to show yet.")
    fake.answers["GET /jobs"] = [foreign(503, "upstream connect error")]
    page.button(key="refresh").click().run()
    wait_for(page, "The sync function is not ready")
    assert "no run to show yet" not in words(page) and words(page).count("The sync function is not ready") == 1


def test_text_of_others_is_shown_as_it_is(fake: FakeFunction, open_page: Callable[[], AppTest]) -> None:
    fake.answers["POST /trigger-sync"] = [problem(422, "invalid-field", "*a* [b](http://c) <i> $x$ `d`")]
    page = click(open_page())
    wait_for(page, "does not understand")
    assert r"\*a\* \[b\](http://c) \<i\> \$x\$ \`d\`" in page.error[0].value


def test_a_log_is_read_by_one_stream_and_not_once_a_second(
    fake: FakeFunction, open_page: Callable[[], AppTest]
) -> None:
    fake.jobs["kraken-sync-1"] = job_json("kraken-sync-1")
    fake.logs["kraken-sync-1"] = [f"line {number}" for number in range(2_000)]
    pages = [open_page(), open_page()]
    for page in pages:
        wait_for(page, "line 1999")
    until("five looks", lambda: pages[0].run() and len(fake.asked("GET", "/jobs/kraken-sync-1")) >= 5)
    assert len(fake.asked("GET", "/jobs/kraken-sync-1/logs")) == 1
    assert fake.asked("GET", "/jobs/kraken-sync-1/logs")[0].query == {"follow": ["true"], "tailLines": ["300"]}
    assert str(pages[0].code[-1].value).splitlines() == [f"line {number}" for number in range(1_700, 2_000)]
