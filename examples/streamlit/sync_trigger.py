"""A client of sync-trigger: start the sync, follow its Job, read its log. Needs httpx alone; copy this file."""

import random
import re
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal, TypeVar
from urllib.parse import quote, urlencode

import httpx

_T = TypeVar("_T")
_retried = {429, 502, 503, 504}  # what the function's contract lets a caller repeat, with the same key
_trigger_timeout = httpx.Timeout(20.0, connect=5.0)  # the function itself answers within 15 s
_longest_pause_s = 10.0
_line_limit = 8_192  # characters; a log may hold a line of any length, our memory may not
_times = frozenset({"created_at", "started_at", "finished_at", "at"})
_log_timeout = httpx.Timeout(5.0, read=330.0)  # a followed log ends before REQUEST_TIMEOUT_S, 300 s by default


class SyncTriggerError(Exception):
    """What is wrong: `code` is the tail of the problem's type, "unreachable", "taken", "bad-answer" or "bad-token"."""

    def __init__(self, code: str, detail: str, status: int | None = None, problem: Mapping[str, Any] | None = None):
        super().__init__(f"{status} {code}: {detail}" if status else f"{code}: {detail}")
        self.code, self.detail, self.status = code, detail, status
        self.retry_after_s: float | None = None
        self.request_id = (problem or {}).get("instance")  # the function's log has a line with it
        self.job = _to_job_ref((problem or {}).get("job"))  # the unfinished Job that a refusal (409) names

    @property
    def is_passing(self) -> bool:
        """Whether the same request may succeed later without anybody's doing."""
        return self.code == "unreachable" or self.status in _retried


@dataclass(frozen=True, slots=True)
class JobRef:
    """A Job as an answer names it; without a uid it was made and is gone."""

    name: str
    namespace: str = ""
    uid: str | None = None


@dataclass(frozen=True, slots=True)
class Triggered:
    """How a trigger ended well; `skipped` has no Job."""

    outcome: Literal["created", "duplicate", "joined", "skipped"]
    job: JobRef | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the function's SYNC_STEPS: seen in the log, or nothing is known of it."""

    name: str
    state: Literal["seen", "unknown"]
    line: str | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A run. `steps` and `last_lines` are there where one Job was asked for."""

    name: str
    namespace: str
    uid: str
    origin: Literal["manual", "scheduled"]
    state: Literal["queued", "running", "succeeded", "failed"]
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    duration_ms: int | None = None
    reason: str | None = None
    message: str | None = None
    exit_code: int | None = None
    via: str | None = None
    requested_reason: str | None = None
    requested_by: str | None = None
    steps: tuple[Step, ...] = ()
    last_lines: tuple[str, ...] = ()

    @property
    def has_ended(self) -> bool:
        return self.state in ("succeeded", "failed")


class SyncTrigger:
    """Talks to one sync-trigger. Calls raise SyncTriggerError, never with the token in it; `token` gives the newest."""

    def __init__(self, url: str, *, token: Callable[[], str | None] = lambda: None, timeout_s: float = 5.0):
        self.url = url.rstrip("/")
        self._token = token
        # No proxy and no netrc of the environment: the address is inside the cluster, and so must the token stay.
        self._http = httpx.Client(base_url=self.url, timeout=timeout_s, trust_env=False)

    def trigger(
        self,
        *,
        key: str | None = None,
        reason: str | None = None,
        on_overlap: Literal["allow", "forbid", "join", "inherit"] | None = None,
        if_older_than: str | None = None,
        tries: int = 5,
        on_retry: Callable[[SyncTriggerError, float], None] = lambda error, pause_s: None,
    ) -> Triggered:
        """Starts one sync. What may pass is tried again with the same key; what was "taken" is never sent again.

        Keep the key yourself to go on trying after an error; `on_retry` is told the error and the pause in seconds.
        """
        request = {"reason": reason, "onOverlap": on_overlap, "ifOlderThan": if_older_than}
        body = {name: value for name, value in request.items() if value is not None}
        headers = {"Idempotency-Key": key or str(uuid.uuid4())}
        attempt = 0
        while True:
            attempt += 1
            try:
                answer = self._ask("POST", "/trigger-sync", headers, json=body, timeout=_trigger_timeout)
                return _parse(_to_triggered, answer)
            except SyncTriggerError as error:
                pause_s = _pause_s(error, attempt)
                if not error.is_passing or attempt >= tries or pause_s > _longest_pause_s:
                    raise
                on_retry(error, pause_s)
                time.sleep(pause_s)

    def job(self, name: str, *, wait_s: int = 0) -> Job:
        """One Job; with `wait_s` (at most 25) the answer comes when it ends, or then."""
        headers = {"Prefer": f"wait={wait_s}"} if wait_s else {}
        return _parse(_to_job, self._ask("GET", _path(name), headers, timeout=httpx.Timeout(5.0, read=wait_s + 5.0)))

    def wait(self, name: str, *, timeout_s: float = 3_600.0) -> Job:
        """The Job once it has ended. Raises TimeoutError; errors that may pass are waited out."""
        ends_at = time.monotonic() + timeout_s
        attempt = 0
        while (left_s := ends_at - time.monotonic()) > 0:
            asked_at = time.monotonic()
            try:
                if (job := self.job(name, wait_s=max(1, min(25, round(left_s))))).has_ended:
                    return job
                attempt = 0
                pause_s = 1.0 - (time.monotonic() - asked_at)  # an instance that ends answers its waiters at once
            except SyncTriggerError as error:
                if not error.is_passing:
                    raise
                attempt += 1
                pause_s = min(_pause_s(error, attempt), _longest_pause_s)
            time.sleep(max(0.0, min(pause_s, ends_at - time.monotonic())))
        raise TimeoutError(f"Job {name} had not ended after {timeout_s:.0f} s")

    def latest(self) -> Job | None:
        """The newest Job of the CronJob, manual or scheduled."""
        try:
            return _parse(_to_job, self._ask("GET", "/jobs/latest"))
        except SyncTriggerError as error:
            if error.code == "job-not-found":
                return None
            raise

    def jobs(self, *, limit: int = 20) -> list[Job]:
        """The newest Jobs of the CronJob, newest first."""
        answer = self._ask("GET", "/jobs", params={"limit": limit})
        return _parse(lambda data: [_to_job(job) for job in data["jobs"]], answer)

    def stream_log(
        self,
        name: str,
        *,
        follow: bool = False,
        tail_lines: int | None = None,
        since_time: str | None = None,
        keep_on: Callable[[], bool] = lambda: True,
    ) -> Iterator[str]:
        """Lines of the Job's log as they come, of at most 8,192 characters; `keep_on` is asked between answers."""
        query = {"follow": "true" if follow else None, "tailLines": tail_lines, "sinceTime": since_time}
        path = f"{_path(name)}/logs?{urlencode({key: value for key, value in query.items() if value is not None})}"
        resume = re.compile(rf"--- sync-trigger: .*; resume with ({re.escape(_path(name))}/logs\?\S+)")
        has_ended = False
        while True:
            held = ""
            for line in self._stream(path):
                if held:
                    yield held
                held = line if resume.fullmatch(line) else ""
                if not held:
                    yield line
            found = resume.fullmatch(held)
            if not found or not keep_on():
                return
            is_same = found[1] == path  # no line came: the Job is silent, or prints such a line itself
            if is_same and (not follow or has_ended):
                return
            path, has_ended = found[1], is_same and self.job(name).has_ended
            time.sleep(1)

    def _stream(self, path: str) -> Iterator[str]:
        try:
            with self._http.stream("GET", path, headers=self._credentials(), timeout=_log_timeout) as answer:
                if not answer.is_success:
                    answer.read()
                    raise _to_error(answer)
                yield from _lines(answer.iter_text())
        except httpx.HTTPError as error:
            raise self._unreachable(error) from None

    def _ask(self, method: str, path: str, headers: Mapping[str, str] | None = None, **options: Any) -> httpx.Response:
        sent, status = {**self._credentials(), **(headers or {})}, 0
        try:
            with self._http.stream(method, path, headers=sent, **options) as answer:
                status = answer.status_code
                answer.read()
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            if method == "POST" and 200 <= status < 300:
                raise SyncTriggerError("taken", "its answer broke off", status) from None
            raise self._unreachable(error) from None
        if not answer.is_success:
            raise _to_error(answer)
        return answer

    def _credentials(self) -> dict[str, str]:
        token = self._token()
        # Checked here, because the HTTP library would print the whole header in its error.
        if token and not (token.isascii() and token.isprintable()):
            raise SyncTriggerError("bad-token", "the token holds characters that a header cannot carry")
        return {"Authorization": f"Bearer {token}"} if token else {}

    def _unreachable(self, error: Exception) -> SyncTriggerError:
        shown = httpx.URL(self.url).copy_with(userinfo=b"")
        return SyncTriggerError("unreachable", f"{shown}: {str(error) or type(error).__name__}")


def _lines(texts: Iterator[str]) -> Iterator[str]:
    held = ""
    for text in texts:
        held, start = held + text, 0
        while (end := held.find("\n", start, start + _line_limit + 1)) != -1 or len(held) - start > _line_limit:
            yield held[start : end if end != -1 else start + _line_limit]
            start = end + 1 if end != -1 else start + _line_limit
        held = held[start:]
    if held:
        yield held


def _pause_s(error: SyncTriggerError, attempt: int) -> float:
    """Retry-After, else 0.5, 1, 2, 4 s and so on, with a jitter so that many callers do not come back at once."""
    backoff_s: float = min(0.5 * 2 ** (attempt - 1), _longest_pause_s) * random.uniform(0.75, 1.0)
    return max(error.retry_after_s or 0.0, backoff_s)


def _to_error(answer: httpx.Response) -> SyncTriggerError:
    is_problem = answer.headers.get("content-type", "").startswith("application/problem+json")
    problem: Mapping[str, Any] = _parse(dict, answer) if is_problem else {}  # else a gateway's word
    code = str(problem.get("type", "")).rpartition(":")[2] or "not-the-function"
    detail = str(problem.get("detail") or f"answered {answer.status_code} {answer.reason_phrase}")
    error = SyncTriggerError(code, detail, answer.status_code, problem)
    after = answer.headers.get("retry-after", "")  # a date, which it may be too, is none of this function's
    error.retry_after_s = float(after) if after.isdecimal() else None
    return error


def _parse(parse: Callable[[Any], _T], answer: httpx.Response) -> _T:
    try:
        return parse(answer.json())
    except (ValueError, KeyError, TypeError, AttributeError):
        raise SyncTriggerError("bad-answer", "the answer is not one of sync-trigger's", answer.status_code) from None


def _to_triggered(data: Any) -> Triggered:
    return Triggered(outcome=data["outcome"], job=_to_job_ref(data["job"]), reason=data.get("reason"))


def _to_job_ref(data: Any) -> JobRef | None:
    return JobRef(**_members(JobRef, data)) if isinstance(data, dict) and "name" in data else None


def _to_job(data: Any) -> Job:
    job = _members(Job, data)
    steps = tuple(Step(**_members(Step, step)) for step in job.get("steps", ()))
    return Job(**{**job, "steps": steps, "last_lines": tuple(job.get("last_lines", ()))})


def _members(kind: type, data: Mapping[str, Any]) -> dict[str, Any]:
    """The members of JSON that a dataclass knows: newer functions may send more."""
    members = {}
    for name in (field.name for field in fields(kind)):
        member = re.sub("_(.)", lambda found: found[1].upper(), name)
        if member in data:
            members[name] = datetime.fromisoformat(data[member]) if name in _times else data[member]
    return members


def _path(job: str) -> str:
    return f"/jobs/{quote(job, safe='')}"
