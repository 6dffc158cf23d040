"""What all sessions of the page share: the client, the trigger in flight, and who follows which Job."""

import os
import time
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from threading import Lock
from urllib.parse import urlsplit

import httpx
from attempt import Attempt
from background import FINAL_CODES, LogTail, Poll, Seen, T
from sync_trigger import Job, SyncTrigger, SyncTriggerError

DEFAULT_URL = "http://sync-trigger.kraken.svc.cluster.local"

_running_pause_s = 1.0
_wait_s = 25
_last_word_s = 5.0
_passing_pause_s = 3.0
_mended_pause_s = 10.0
_hold_s = 5.0  # longer than a double click, or one out of doubt, takes
_reason = "Settings page"  # shown with the run


class Backend:
    """Two people who look at the same Job cost one look a second, one wait and one log stream."""

    def __init__(self, client: SyncTrigger):
        self.client = client
        self._lock = Lock()
        self._attempt: Attempt | None = None
        self.job: Callable[[str], Poll[Job]] = _one_each(self._poll_job)
        self.log: Callable[[str], LogTail] = _one_each(self._tail_log)

    def start(self, key: str) -> Attempt:
        """Starts a sync, or joins the start that any session has under way or has just made.

        With this key, unless nobody knows what became of the last one: then with that.
        """
        with self._lock:
            if self._attempt is None or (self._attempt.is_done() and not self.is_held):
                self._attempt = Attempt(self.client, key, _reason, self._attempt)
            return self._attempt

    @property
    def attempt(self) -> Attempt | None:
        """The start that is under way, or of which nobody knows the outcome: a page that is loaded goes on with it."""
        return self._attempt if self._attempt and self._attempt.is_open else None

    def forget_attempt(self) -> None:
        """To be called when its outcome has shown itself otherwise, as a run."""
        with self._lock:
            if self._attempt and self._attempt.is_done() and self._attempt.is_open:
                self._attempt = None

    @property
    def is_held(self) -> bool:
        """Whether a Job was made a few seconds ago and has not ended, so that another click is meant for the same."""
        last = self._attempt
        if last is None or not last.has_just_made(_hold_s):
            return False
        return last.last_made is None or _ended(self.job(last.last_made)) is None

    def latest(self) -> Poll[Job | None]:
        """The newest Job, looked at once: a page that just stands open must not keep the function from scaling to 0."""
        return Poll(self.client.latest, _pause_of_single_look)

    def history(self) -> Poll[list[Job]]:
        """The newest Jobs, looked at once."""
        return Poll(self.client.jobs, _pause_of_single_look)

    def _poll_job(self, name: str) -> Poll[Job]:
        """A look a second, for the steps, and beside it a wait: that one is told the end of a Job removed with it."""
        end = Poll(lambda: self._wait_for_end(name), _pause_of_wait)

        def look() -> Job:
            end.read()
            try:
                return _ended(end) or self.client.job(name)
            except SyncTriggerError as error:
                is_gone = error.code == "job-not-found" and end.is_over(_last_word_s)
                if is_gone and (job := _ended(end)):
                    return job
                raise

        return Poll(look, _pause_of_run)

    def _wait_for_end(self, name: str) -> Job:
        asked_at = time.monotonic()
        job = self.client.job(name, wait_s=_wait_s)
        if not job.has_ended:  # the next wait follows at once, unless this one was none
            time.sleep(max(0.0, _running_pause_s - (time.monotonic() - asked_at)))
        return job

    def _tail_log(self, name: str) -> LogTail:
        def stream(tail_lines: int, keep_on: Callable[[], bool]) -> Iterator[str]:
            had_ended = _ended(self.job(name)) is not None
            try:
                yield from self.client.stream_log(name, follow=True, tail_lines=tail_lines, keep_on=keep_on)
            except SyncTriggerError as error:
                if error.code == "no-log-yet" and had_ended:  # asked for ever, it would keep the function awake
                    raise SyncTriggerError("no-log", error.detail, error.status) from None
                raise

        return LogTail(stream)


def _one_each(make: Callable[[str], T]) -> Callable[[str], T]:
    """One for each name, of the last 16; the lock keeps two sessions that ask at once from making two."""
    lock, cached = Lock(), lru_cache(16)(make)

    def get(name: str) -> T:
        with lock:
            return cached(name)

    return get


def _ended(poll: Poll[Job]) -> Job | None:
    return poll.seen.value if poll.seen and poll.seen.value and poll.seen.value.has_ended else None


def _pause_of_run(seen: Seen[Job]) -> float | None:
    if seen.error:
        return _pause_after(seen.error)
    return None if seen.value is None or seen.value.has_ended else _running_pause_s


def _pause_of_wait(seen: Seen[Job]) -> float | None:
    pause_s = _pause_of_run(seen)
    return pause_s if pause_s is None or seen.error else 0.0


def _pause_of_single_look(seen: Seen[T]) -> float | None:
    return _pause_after(seen.error) if seen.error else None


def _pause_after(error: SyncTriggerError) -> float | None:
    if error.is_passing:
        return _passing_pause_s
    return None if error.code in FINAL_CODES else _mended_pause_s


def connect(url: str, token_path: str | None) -> Backend:
    """A backend for the function at this URL, with the token of a mounted file if there is one."""
    return Backend(SyncTrigger(url, token=_read_token(token_path) if token_path else lambda: None))


def settings_of_environment() -> tuple[str, str | None]:
    """URL and token file, from the ConfigMap by way of the environment."""
    return os.environ.get("SYNC_TRIGGER_URL") or DEFAULT_URL, os.environ.get("SYNC_TRIGGER_TOKEN_FILE") or None


def is_address(url: str) -> bool:
    """Whether this may be the URL of a function: with a scheme and a host that can be read."""
    try:
        parts = urlsplit(url)
        is_whole = parts.scheme in ("http", "https") and bool(httpx.URL(url).host) and parts.port != 0
        return is_whole and url.split() == [url]
    except (ValueError, httpx.InvalidURL):
        return False


def _read_token(path: str) -> Callable[[], str]:
    """Reads the file for each request: Kubernetes rotates it in place."""

    def read() -> str:
        try:
            token = Path(path).read_text("ascii").strip()
        except (OSError, ValueError) as error:
            raise SyncTriggerError("bad-token", f"{path} cannot be read ({type(error).__name__})") from None
        if not token:
            raise SyncTriggerError("bad-token", f"{path} is empty")
        return token

    return read
