"""The fake answers as the function documents, and what it answers otherwise is noticed."""

import httpx
import pytest
from conftest import until
from fake_function import Answer, FakeFunction, foreign, job_json, problem, serve


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (problem(418, "teapot", "no"), "GET /jobs/j 418 is not documented"),
        (problem(403, "forbidden", "no"), "is not one of ['urn:sync-trigger:not-allowed']"),
        (problem(403, "not-allowed", "no", {"Retry-After": "1"}), "GET /jobs/j 403: header Retry-After"),
        (Answer(json=job_json("j", isNew=True)), "Additional properties are not allowed ('isNew' was unexpected)"),
        (Answer(json={"name": "j"}), "'namespace' is a required property"),
        (Answer(json=job_json("j", "ended")), "'ended' is not one of ['queued', 'running', 'succeeded', 'failed']"),
        (Answer(text="j"), "GET /jobs/j 200: content type text/plain"),
    ],
)
def test_an_answer_that_the_function_does_not_document_is_noticed(answer: Answer, told: str) -> None:
    with serve(FakeFunction()) as fake:
        fake.answers["GET /jobs/j"] = [answer]
        httpx.get(f"{fake.url}/jobs/j", trust_env=False)
        until("a remark", lambda: fake.undocumented)
        assert told in "; ".join(fake.undocumented)


@pytest.mark.parametrize("answer", [problem(404, "job-not-found", "no"), foreign(418), Answer(json=job_json("j"))])
def test_any_other_is_not(fake: FakeFunction, answer: Answer) -> None:
    fake.answers["GET /jobs/j"] = [answer]
    assert httpx.get(f"{fake.url}/jobs/j", trust_env=False).status_code == answer.status
