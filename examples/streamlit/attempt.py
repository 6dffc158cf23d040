"""One start of the sync, in a thread, so that the page's script never waits for it."""

import time
from contextlib import suppress
from threading import Event, Thread

from background import told
from sync_trigger import Job, JobRef, SyncTrigger, SyncTriggerError, Triggered

_look_pauses_s = (0.5, 1.0, 2.0, 4.0)


class Attempt:
    """A look for a run that is under way, and only where there is none a trigger, each with its retries.

    Without the look, a click in a page that was drawn before that run would make a second Job. A look that fails in
    a way that may pass therefore ends the attempt; one that the function has no right to make does not.
    """

    def __init__(self, client: SyncTrigger, key: str, reason: str, before: "Attempt | None" = None):
        """`before` is the attempt that the newest one of this process was until now; see is_open and last_made."""
        self._client, self._reason = client, reason
        self._is_unknown = before is not None and before.is_open
        self.key: str = before.key if before and before.is_open else key
        self._last_made = before.last_made if before else None
        self._done, self._done_at = Event(), 0.0
        self.result: Triggered | None = None
        self.error: SyncTriggerError | None = None
        self.was_answer_lost = False
        """The function took the request, but what it answered did not arrive whole."""
        self.retry_after: SyncTriggerError | None = None
        """The error that the next try follows."""
        Thread(target=self._run, daemon=True).start()

    def is_done(self, wait_s: float = 0.0) -> bool:
        """Whether result or error is there; waits at most so long for it."""
        return self._done.wait(wait_s)

    @property
    def is_open(self) -> bool:
        """Whether it is under way, or what its key was sent for may have been done although nobody knows."""
        return not self.is_done() or (self.result is None and self._is_unknown)

    @property
    def last_made(self) -> str | None:
        """The Job that this attempt, or one before it, ended with."""
        return self.result.job.name if self.result and self.result.job else self._last_made

    def has_just_made(self, within_s: float) -> bool:
        """Whether a Job was made so short ago."""
        is_made = self.is_done() and self.result is not None and self.result.outcome == "created"
        return is_made and time.monotonic() - self._done_at < within_s

    def _run(self) -> None:
        try:
            self.result = self._attach() or self._trigger()
        except Exception as raised:  # a page that says "starting" for ever would be worse
            self.error = told(raised)
        finally:
            self._done_at = time.monotonic()
            self._done.set()

    def _attach(self) -> Triggered | None:
        for pause_s in (*_look_pauses_s, None):
            try:
                job = self._find_unfinished()
                return Triggered("joined", _ref(job)) if job else None
            except SyncTriggerError as error:
                if not error.is_passing:
                    return None  # the trigger's own answer says what is wrong
                if pause_s is None:
                    raise
                self.retry_after = error
            time.sleep(pause_s)
        return None

    def _find_unfinished(self) -> Job | None:
        newest = self._client.latest()
        if newest and not newest.has_ended:
            return newest
        if self._last_made is None or (newest and newest.name == self._last_made):
            return None
        try:
            made = self._client.job(self._last_made)
        except SyncTriggerError as error:
            if error.code == "job-not-found":
                return None
            raise
        return None if made.has_ended else made

    def _trigger(self) -> Triggered:
        try:
            return self._client.trigger(key=self.key, reason=self._reason, on_retry=self._note_retry)
        except SyncTriggerError as error:
            if error.code == "taken":
                self.was_answer_lost = True
                return Triggered("created", self._find_taken())
            self._is_unknown = (self._is_unknown or error.is_passing) and error.code != "key-reused"
            raise

    def _find_taken(self) -> JobRef | None:
        with suppress(SyncTriggerError):
            if job := self._find_unfinished():
                return _ref(job)
        return None

    def _note_retry(self, error: SyncTriggerError, _pause_s: float) -> None:
        self._is_unknown = True
        self.retry_after = error


def _ref(job: Job) -> JobRef:
    return JobRef(job.name, job.namespace, job.uid)
