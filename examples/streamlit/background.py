"""Looks at the function that go on in threads, so that the page's script never waits for it."""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import Event, Lock, Thread
from typing import Generic, TypeVar

from sync_trigger import SyncTriggerError

T = TypeVar("T")

_idle_s = 15.0  # a page that is open reads every second or two; after this long nobody is left to look for
_log_lines = 300
_line_length = 1_000
_log_retry_s = 2.0
_mended_pause_s = 10.0
FINAL_CODES = frozenset({"job-not-found", "component-missing", "no-log"})
"""Gone, never there, or the function has no right to tell: looking again will not change it soon."""


@dataclass(frozen=True)
class Seen(Generic[T]):
    """The newest value that came, and the error of the newest look if it failed; `at` is of time.monotonic()."""

    value: T | None
    error: SyncTriggerError | None
    at: float


class Poll(Generic[T]):
    """Looks again and again as long as somebody reads. `pause_s` gives the seconds to the next look, None ends it."""

    def __init__(self, look: Callable[[], T], pause_s: Callable[[Seen[T]], float | None]):
        self._look, self._pause_s = look, pause_s
        self._lock, self._first_look, self._over = Lock(), Event(), Event()
        self._seen: Seen[T] | None = None
        self._read_at = 0.0
        self._is_running = False

    def read(self, wait_s: float = 0.0) -> Seen[T] | None:
        """What was seen last; waits at most so long for the first look."""
        with self._lock:
            self._read_at = time.monotonic()
            if not self._is_running and not self._over.is_set():
                self._is_running = True
                Thread(target=self._run, daemon=True).start()
        self._first_look.wait(wait_s)
        return self._seen

    @property
    def seen(self) -> Seen[T] | None:
        """What was seen last, without a look for it."""
        return self._seen

    def is_over(self, wait_s: float = 0.0) -> bool:
        """Whether what was seen is final; waits at most so long for it."""
        return self._over.wait(wait_s)

    def _run(self) -> None:
        try:
            while (pause_s := self._look_once()) is not None:
                time.sleep(pause_s)
                if time.monotonic() - self._read_at > _idle_s:
                    return
            self._over.set()
        finally:
            self._is_running = False

    def _look_once(self) -> float | None:
        before = self._seen
        try:
            self._seen = Seen(self._look(), None, time.monotonic())
        except Exception as raised:  # a defect that ended the looks would leave the page as it is for ever
            error = told(raised)
            self._seen = Seen(before.value, error, before.at) if before else Seen(None, error, time.monotonic())
        self._first_look.set()
        return self._pause_s(self._seen)


class LogTail:
    """The last 300 lines of a log, out of one followed stream.

    Not polled: each poll would read the log, or a second of it, again. What breaks off is read anew from its tail;
    memory is bounded whatever a Job writes. A silent stream that nobody reads any more ends when the function ends it;
    one that breaks off is read again, unless its Job is gone or left none, or the right to read it is missing.
    """

    def __init__(self, stream: Callable[[int, Callable[[], bool]], Iterator[str]]):
        self._stream = stream
        self._lock = Lock()
        self._lines: deque[str] = deque(maxlen=_log_lines)
        self._read_at = 0.0
        self._is_running = self._is_over = False
        self.error: SyncTriggerError | None = None

    def read(self) -> list[str]:
        """The lines so far, oldest first."""
        with self._lock:
            self._read_at = time.monotonic()
            if not self._is_running and not self._is_over:
                self._is_running = True
                Thread(target=self._run, daemon=True).start()
            return list(self._lines)

    @property
    def is_over(self) -> bool:
        """Whether the whole log was read."""
        return self._is_over

    def _run(self) -> None:
        try:
            while not self._is_over and self._is_read():
                self._take_stream()
                if not self._is_over:
                    time.sleep(_log_retry_s if self.error is None or self.error.is_passing else _mended_pause_s)
        finally:
            self._is_running = False

    def _take_stream(self) -> None:
        is_first = True
        try:
            for line in self._stream(_log_lines, self._is_read):
                with self._lock:
                    if is_first:
                        self._lines.clear()
                    self._lines.append(line[:_line_length])
                is_first = False
                self.error = None
                if not self._is_read():
                    return
            self.error, self._is_over = None, self._is_read()
        except Exception as raised:
            self.error = told(raised)
            self._is_over = self.error.code in FINAL_CODES

    def _is_read(self) -> bool:
        return time.monotonic() - self._read_at <= _idle_s


def told(raised: Exception) -> SyncTriggerError:
    """An error as the page tells it; one that nobody expected goes to the page's own log whole."""
    if isinstance(raised, SyncTriggerError):
        return raised
    logging.getLogger(__name__).error("unexpected error", exc_info=raised)
    return SyncTriggerError("page-error", type(raised).__name__)
