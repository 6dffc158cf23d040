"""The client module against the contract's fake."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace

import pytest
import sync_trigger
from conftest import until
from contract import codes_of
from fake_function import Answer, FakeFunction, created_json, foreign, job_json, problem, step_json
from sync_trigger import SyncTrigger, SyncTriggerError

pauses: list[float] = []


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses are noted, not waited for."""
    pauses.clear()

    def sleep(pause_s: float) -> None:
        pauses.append(pause_s)
        time.sleep(min(pause_s, 0.01))

    monkeypatch.setattr(sync_trigger, "time", SimpleNamespace(monotonic=time.monotonic, sleep=sleep))


def keys(fake: FakeFunction) -> list[str]:
    return [request.headers["idempotency-key"] for request in fake.asked("POST", "/trigger-sync")]


@contextmanager
def fails(code: str) -> Iterator[pytest.ExceptionInfo[SyncTriggerError]]:
    with pytest.raises(SyncTriggerError) as caught:
        yield caught
    assert caught.value.code == code


def test_a_trigger_names_the_job_that_was_made(fake: FakeFunction) -> None:
    triggered = SyncTrigger(fake.url).trigger(reason="prices changed", if_older_than="26h", on_overlap="join")
    assert triggered.outcome == "created"
    assert triggered.job is not None and triggered.job.name in fake.jobs
    assert fake.requests[0].body == b'{"reason":"prices changed","onOverlap":"join","ifOlderThan":"26h"}'


def test_two_triggers_have_keys_of_their_own(fake: FakeFunction) -> None:
    client = SyncTrigger(fake.url)
    assert client.trigger().job != client.trigger().job


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (problem(502, "api-refused", "not now"), "api-refused"),
        (problem(503, "overloaded", "not now"), "overloaded"),
        (problem(504, "outcome-unknown", "not now"), "outcome-unknown"),
        (foreign(429), "not-the-function"),
    ],
)
def test_what_may_pass_is_tried_again_with_the_same_key(fake: FakeFunction, answer: Answer, code: str) -> None:
    fake.answers["POST /trigger-sync"] = [answer, *_created()]
    told: list[str] = []
    triggered = SyncTrigger(fake.url).trigger(on_retry=lambda error, _pause_s: told.append(error.code))
    assert triggered.outcome == "created"
    assert told == [code]
    assert len(keys(fake)) == 2 and len(set(keys(fake))) == 1


def test_a_connection_that_breaks_off_is_tried_again_with_the_same_key(fake: FakeFunction) -> None:
    fake.answers["POST /trigger-sync"] = [replace(problem(503, "overloaded", "no"), breaks_off=True), *_created()]
    assert SyncTrigger(fake.url).trigger(key="k").outcome == "created"
    assert keys(fake) == ["k", "k"]


def codes_that_stay() -> dict[str, int]:
    return {code: status for code, status in codes_of("POST /trigger-sync").items() if status < 500}


@pytest.mark.parametrize(("code", "status"), codes_that_stay().items())
def test_what_will_not_pass_is_not_tried_again(fake: FakeFunction, code: str, status: int) -> None:
    fake.answers["POST /trigger-sync"] = [problem(status, code, "because")]
    with fails(code) as caught:
        SyncTrigger(fake.url).trigger()
    assert caught.value.status == status and caught.value.request_id == "req-1"
    assert len(keys(fake)) == 1 and pauses == []


def test_a_success_is_never_sent_again_even_when_it_cannot_be_read(fake: FakeFunction) -> None:
    fake.answers["POST /trigger-sync"] = [foreign(200, "<html>")]
    with fails("bad-answer"):
        SyncTrigger(fake.url).trigger()
    assert len(keys(fake)) == 1


def test_a_success_that_breaks_off_is_never_sent_again(fake: FakeFunction) -> None:
    fake.answers["POST /trigger-sync"] = [replace(answer, breaks_off=True) for answer in _created()] + _created()
    with fails("taken") as caught:
        SyncTrigger(fake.url).trigger(key="k")
    assert keys(fake) == ["k"] and caught.value.status == 200 and not caught.value.is_passing


def test_a_look_that_breaks_off_may_be_repeated(fake: FakeFunction) -> None:
    fake.answers["GET /jobs/j"] = [Answer(json=job_json("j"), breaks_off=True)]
    with fails("unreachable"):
        SyncTrigger(fake.url).job("j")


def test_tries_end_and_the_last_error_is_told(fake: FakeFunction) -> None:
    fake.answers["POST /trigger-sync"] = [problem(503, "api-unavailable", "down")]
    with fails("api-unavailable"):
        SyncTrigger(fake.url).trigger(tries=3)
    assert len(keys(fake)) == 3 and len(pauses) == 2
    assert pauses[0] <= 0.5 < pauses[1] <= 1.0


@pytest.mark.parametrize(("after", "requests"), [("7", 2), ("60", 1)])
def test_retry_after_is_kept_unless_it_is_too_long_to_wait(fake: FakeFunction, after: str, requests: int) -> None:
    fake.answers["POST /trigger-sync"] = [problem(503, "api-unavailable", "down", {"Retry-After": after})]
    with fails("api-unavailable") as caught:
        SyncTrigger(fake.url).trigger(tries=2)
    assert caught.value.retry_after_s == float(after)
    assert len(keys(fake)) == requests and pauses == [7.0] * (requests - 1)


def test_a_refusal_names_the_job_that_is_in_the_way(fake: FakeFunction) -> None:
    job = {"name": "kraken-sync-1", "namespace": "kraken", "uid": "u", "createdAt": None}
    fake.answers["POST /trigger-sync"] = [problem(409, "refused", "unfinished", outcome="refused", job=job)]
    with fails("refused") as caught:
        SyncTrigger(fake.url).trigger()
    assert caught.value.job is not None and caught.value.job.name == "kraken-sync-1"


def test_nobody_there_is_an_error_that_may_pass() -> None:
    with fails("unreachable") as caught:
        SyncTrigger("http://127.0.0.1:1").latest()
    assert caught.value.is_passing


def test_the_token_is_asked_for_each_request(fake: FakeFunction) -> None:
    tokens = iter(["first", "second"])
    client = SyncTrigger(fake.url, token=lambda: next(tokens))
    client.jobs()
    client.jobs()
    assert [request.headers["authorization"] for request in fake.requests] == ["Bearer first", "Bearer second"]


@pytest.mark.parametrize("token", ["sec\nret", "sec\u00e9ret", "sec\x00ret"])
def test_a_token_that_no_header_can_carry_is_not_in_the_error(fake: FakeFunction, token: str) -> None:
    with fails("bad-token") as caught:
        SyncTrigger(fake.url, token=lambda: token).jobs()
    assert "ret" not in str(caught.value) and fake.requests == []


def test_a_password_in_the_url_is_not_in_the_error() -> None:
    with fails("unreachable") as caught:
        SyncTrigger("http://user:hunter2@127.0.0.1:1").jobs()
    assert "hunter2" not in str(caught.value) and "127.0.0.1" in str(caught.value)


def test_a_proxy_of_the_environment_is_not_used(fake: FakeFunction, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    assert SyncTrigger(fake.url).jobs() == []


def test_a_redirect_does_not_take_the_token_elsewhere(fake: FakeFunction) -> None:
    fake.answers["GET /jobs"] = [foreign(302, Location=f"{fake.url}/elsewhere")]
    with fails("not-the-function"):
        SyncTrigger(fake.url, token=lambda: "secret").jobs()
    assert fake.asked("GET", "/elsewhere") == []


def test_a_job_is_read_whole_and_new_members_are_passed_over(fake: FakeFunction) -> None:
    steps = [step_json("trades", "117 trades written"), step_json("rewards")]
    newer = job_json("j", "failed", steps=steps, exitCode=3, lastLines=["a", "b"], isNew=True)
    fake.answers["GET /jobs/j"] = [Answer(json=newer, is_foreign=True)]
    job = SyncTrigger(fake.url).job("j")
    assert (job.state, job.exit_code, job.last_lines, job.duration_ms) == ("failed", 3, ("a", "b"), 3_000)
    assert [(step.name, step.state, step.line) for step in job.steps] == [
        ("trades", "seen", "117 trades written"),
        ("rewards", "unknown", None),
    ]
    assert job.steps[0].at is not None and job.created_at.tzinfo is not None


def test_a_name_cannot_leave_its_route(fake: FakeFunction) -> None:
    with fails("job-not-found"):
        SyncTrigger(fake.url).job("../metrics?x=")
    assert fake.requests[0].path == "/jobs/..%2Fmetrics%3Fx%3D"


@pytest.mark.parametrize("text", ["[]", "{}", '{"jobs": 3}', "<html>", '{"jobs": [{"name": "j"}]}'])
def test_an_answer_that_is_none_of_ours_is_an_error(fake: FakeFunction, text: str) -> None:
    fake.answers["GET /jobs"] = [foreign(200, text)]
    with fails("bad-answer"):
        SyncTrigger(fake.url).jobs()


def test_there_is_no_latest_job_before_the_first(fake: FakeFunction) -> None:
    assert SyncTrigger(fake.url).latest() is None


def test_wait_asks_with_prefer_until_the_job_has_ended(fake: FakeFunction) -> None:
    fake.answers["GET /jobs/j"] = [
        Answer(json=job_json("j")),
        problem(503, "shutting-down", "ending"),
        Answer(json=job_json("j", "succeeded")),
    ]
    assert SyncTrigger(fake.url).wait("j", timeout_s=60).state == "succeeded"
    assert [request.headers["prefer"] for request in fake.requests] == ["wait=25"] * 3


def test_wait_ends_with_its_time_and_with_errors_that_do_not_pass(fake: FakeFunction) -> None:
    fake.jobs["j"] = job_json("j")
    with pytest.raises(TimeoutError):
        SyncTrigger(fake.url).wait("j", timeout_s=0.3)
    with fails("job-not-found"):
        SyncTrigger(fake.url).wait("gone")


def test_lines_come_while_the_job_still_runs(fake: FakeFunction) -> None:
    fake.jobs["j"], fake.logs["j"] = job_json("j"), ["one"]
    lines: list[str] = []
    client = SyncTrigger(fake.url)
    reader = threading.Thread(target=lambda: lines.extend(client.stream_log("j", follow=True, tail_lines=9)))
    seen: list[str] = []
    stream = client.stream_log("j", follow=True)
    seen.append(next(stream))
    reader.start()
    fake.logs["j"].append("two")
    seen.append(next(stream))
    fake.jobs["j"] = job_json("j", "succeeded")
    assert seen + list(stream) == ["one", "two"]
    until("the other reader", lambda: not reader.is_alive())
    assert lines == ["one", "two"]
    assert {"follow": ["true"], "tailLines": ["9"]} in [request.query for request in fake.requests]


def test_a_log_that_the_function_ends_early_goes_on_where_it_says(fake: FakeFunction) -> None:
    path = "/jobs/j/logs"
    resume = f"--- sync-trigger: this instance is ending; resume with {path}?follow=true&sinceTime=T1"
    fake.answers[f"GET {path}"] = [Answer(text=f"one\n{resume}\n"), Answer(text="two\n")]
    assert list(SyncTrigger(fake.url).stream_log("j", follow=True)) == ["one", "two"]
    assert fake.requests[1].query == {"follow": ["true"], "sinceTime": ["T1"]}


def test_a_followed_log_that_was_silent_for_a_whole_answer_goes_on(fake: FakeFunction) -> None:
    path = "/jobs/j/logs"
    resume = f"--- sync-trigger: one request lasts at most 300 s; resume with {path}?follow=true"
    fake.jobs["j"] = job_json("j")
    fake.answers[f"GET {path}"] = [Answer(text=f"{resume}\n"), Answer(text=f"{resume}\n"), Answer(text="one\n")]
    assert list(SyncTrigger(fake.url).stream_log("j", follow=True)) == ["one"]


def test_between_two_answers_of_a_silent_log_nobody_may_want_it_any_more(fake: FakeFunction) -> None:
    resume = "--- sync-trigger: one request lasts at most 300 s; resume with /jobs/j/logs?follow=true"
    fake.jobs["j"] = job_json("j")
    fake.answers["GET /jobs/j/logs"] = [Answer(text=f"{resume}\n")]
    wanted = iter([True, False])
    assert list(SyncTrigger(fake.url).stream_log("j", follow=True, keep_on=lambda: next(wanted))) == []
    assert len(fake.asked("GET", "/jobs/j/logs")) == 2


def test_an_ended_job_that_prints_such_a_line_itself_cannot_keep_a_follower_for_ever(fake: FakeFunction) -> None:
    line = "--- sync-trigger: x; resume with /jobs/j/logs?follow=true"
    fake.jobs["j"] = job_json("j", "succeeded")
    fake.answers["GET /jobs/j/logs"] = [Answer(text=f"{line}\n")]
    assert list(SyncTrigger(fake.url).stream_log("j", follow=True)) == []
    assert len(fake.asked("GET", "/jobs/j/logs")) == 2


@pytest.mark.parametrize(
    "line",
    [
        "--- sync-trigger: x; resume with /jobs/another/logs?follow=true",
        "--- sync-trigger: x; resume with http://elsewhere/jobs/j/logs?follow=true",
        "--- sync-trigger: Job j is gone",
    ],
)
def test_a_line_that_names_another_place_is_a_line_like_others(fake: FakeFunction, line: str) -> None:
    fake.answers["GET /jobs/j/logs"] = [Answer(text=f"one\n{line}\n")]
    assert list(SyncTrigger(fake.url).stream_log("j")) == ["one", line]
    assert len(fake.requests) == 1


def test_a_job_that_prints_such_a_line_itself_cannot_keep_the_reader_for_ever(fake: FakeFunction) -> None:
    line = "--- sync-trigger: x; resume with /jobs/j/logs?tailLines=1"
    fake.answers["GET /jobs/j/logs"] = [Answer(text=f"{line}\nlast\n{line}\n")]
    assert list(SyncTrigger(fake.url).stream_log("j"))[:2] == [line, "last"]
    assert len(fake.requests) == 2


def test_a_line_without_end_comes_in_parts(fake: FakeFunction) -> None:
    fake.answers["GET /jobs/j/logs"] = [Answer(text="x" * 100_000 + "\n\nend")]
    *parts, empty, end = SyncTrigger(fake.url).stream_log("j")
    assert "".join(parts) == "x" * 100_000 and max(map(len, parts)) == 8_192
    assert (empty, end) == ("", "end")


def test_a_log_that_is_not_there_is_an_error(fake: FakeFunction) -> None:
    fake.answers["GET /jobs/j/logs"] = [problem(404, "no-log-yet", "Job j is queued")]
    with fails("no-log-yet"):
        next(SyncTrigger(fake.url).stream_log("j"))


def _created() -> list[Answer]:
    return [Answer(json=created_json("j"))]
