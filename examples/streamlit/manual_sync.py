"""The section "Manual sync": one button, what the run does, its log and how it ended."""

import time
import uuid
from dataclasses import dataclass

import streamlit as st
from advice import Advice, explain_error
from backend import Backend
from background import Seen
from run_view import show_run, show_start
from sync_trigger import Job, SyncTriggerError
from wording import ago, duration, origin

_tick_s = 1.0
_look_again_s = 3.0
_patience_s = 0.4  # most answers come sooner; one run of the script waits no longer for all of them


@dataclass(frozen=True)
class Run:
    """The run that this session follows, as last seen."""

    name: str
    seen: Seen[Job] | None
    is_final: bool

    @property
    def is_unfinished(self) -> bool:
        """Whether it may still do something, as far as anybody knows."""
        return not self.is_final and not (self.seen and self.seen.value and self.seen.value.has_ended)


def show_manual_sync(backend: Backend) -> float | None:
    """Draws the section; gives the seconds after which it may have something new to show."""
    state = st.session_state
    ends_at = time.monotonic() + _patience_s
    _take_over(backend)
    _settle(backend, ends_at)
    _find_running(backend, ends_at)
    run = _read_run(backend, ends_at)
    is_busy = "attempt" in state or (run is not None and run.is_unfinished)
    is_held = backend.is_held
    is_disabled = is_busy or is_held or _is_looking()

    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        with st.container(width="content", gap=None):
            st.subheader("Manual sync", anchor=False)
            st.caption("Trades and rewards are synced on a schedule. Start the same sync now, without waiting for it.")
        label = "Syncing…" if is_busy else "Try again" if "failure" in state else "Sync now"
        icon = ":material/sync:"
        st.button(label, key="sync", on_click=_start, args=[backend], type="primary", icon=icon, disabled=is_disabled)

    interval_s = _show_state(run, backend)
    return _tick_s if interval_s is None and is_held else interval_s


def _show_state(run: Run | None, backend: Backend) -> float | None:
    state = st.session_state
    if "note" in state:
        st.info(state["note"], icon=":material/info:")
    if "failure" in state:
        _show_error(state["failure"], backend)
    if "attempt" in state:
        show_start(state["attempt"].retry_after, backend.client.url)
        return _tick_s
    if run is not None:
        return _follow(run, backend)
    return _show_latest(backend)


def _start(backend: Backend) -> None:
    """The button's callback. A second click finds the attempt, or the run, of the first one and does nothing."""
    state = st.session_state
    run = _read_run(backend)
    if "attempt" in state or (run is not None and run.is_unfinished) or _is_looking():
        return
    for name in ("failure", "note", "job"):
        state.pop(name, None)
    # The key outlives a failed attempt: trying again asks for the same Job. A 2xx ends its use, see _settle.
    key = state.setdefault("sync_key", str(uuid.uuid4()))
    state["attempt"] = backend.start(key)
    state["sync_key"] = state["attempt"].key  # of another session, if that one was first


def _take_over(backend: Backend) -> None:
    """A page that was just loaded goes on with what is under way."""
    state = st.session_state
    if "latest" not in state:
        state["latest"] = backend.latest()
        if attempt := backend.attempt:
            state["attempt"], state["sync_key"] = attempt, attempt.key


def _is_looking() -> bool:
    """Whether nobody knows yet what runs: a click could only be a mistake."""
    state = st.session_state
    return "latest" in state and state["latest"].seen is None and not {"attempt", "job"} & set(state)


def _find_running(backend: Backend, ends_at: float) -> None:
    """The first look that succeeds may find a run to follow."""
    state = st.session_state
    newest = state["latest"].read(_left_s(ends_at))
    if "has_looked" in state or "attempt" in state or newest is None or newest.error:
        return
    state["has_looked"] = True
    if newest.value and not newest.value.has_ended and "job" not in state:
        state["job"] = newest.value.name
        state.pop("failure", None)
        if newest.value.origin == "manual":  # else it tells nothing of a request whose outcome is unknown
            state.pop("sync_key", None)
            backend.forget_attempt()


def _settle(backend: Backend, ends_at: float) -> None:
    """Turns an attempt that is done into a run to follow, a note or a failure."""
    state = st.session_state
    if "attempt" not in state or not state["attempt"].is_done(_left_s(ends_at)):
        return
    attempt = state.pop("attempt")
    if attempt.result is None:
        _settle_failure(attempt.error)
        return
    state.pop("sync_key", None)  # answered with 2xx: this request is never sent again
    state["history"] = backend.history()
    outcome, job = attempt.result.outcome, attempt.result.job
    if job and job.uid:
        state["job"] = job.name
    if attempt.was_answer_lost:
        found = "this is the run that is under way" if job else "whether a run started shows in the list below"
        state["note"] = f"The function took the request, but its answer broke off; {found}. Nothing was sent again."
    elif outcome == "joined":
        state["note"] = "A sync was already running; this is that one."
    elif outcome == "duplicate" and job and job.uid:
        state["note"] = "This request was received before: this is the sync that it started. There is no second one."
    elif outcome == "skipped":
        state["note"] = f"Nothing was started: {attempt.result.reason or 'it is not due'}."
    elif job and not job.uid:
        gone = f"as Job {job.name}, which is no longer there"
        state["note"] = f"This request had started a sync before, {gone}. There is no second one."


def _settle_failure(error: SyncTriggerError) -> None:
    state = st.session_state
    if error.code == "key-reused":
        state.pop("sync_key", None)
    if error.code == "refused" and error.job:
        state["job"] = error.job.name
        state["note"] = "A sync is already running, and a second one is not allowed beside it; this is that one."
    else:
        state["failure"] = error


def _read_run(backend: Backend, ends_at: float = 0.0) -> Run | None:
    name = st.session_state.get("job")
    if name is None:
        return None
    poll = backend.job(name)
    seen = poll.read(_left_s(ends_at))
    return Run(name, seen, poll.is_over())


def _left_s(ends_at: float) -> float:
    return max(0.0, ends_at - time.monotonic())


def _follow(run: Run, backend: Backend) -> float | None:
    state = st.session_state
    tail = backend.log(run.name)
    error = run.seen.error if run.seen else None
    if error and run.is_final and not (run.seen and run.seen.value):
        st.markdown(f"The sync was started as Job `{run.name}`.")
        _show_error(error, backend)
        return None
    show_run(run.name, run.seen, tail, is_followed=not run.is_final, url=backend.client.url)
    if error:
        _show_error(error, backend)
    stands = (run.name, run.is_unfinished, run.seen.value.state if run.seen and run.seen.value else None)
    if state.get("stands") != stands:
        state["stands"] = stands
        if not run.is_unfinished:
            state["history"] = backend.history()
        st.rerun()  # the list of recent runs shows it too
    if run.is_unfinished:
        return _tick_s
    return None if tail.is_over else _tick_s


def _show_latest(backend: Backend) -> float | None:
    """Between runs: how the last one went, or why nobody can tell."""
    latest = st.session_state["latest"]
    newest = latest.read()
    if newest is None:
        st.caption("Looking for the last run…")
        return _tick_s
    if newest.error:
        if "failure" not in st.session_state:
            _show_error(newest.error, backend)
        return None if latest.is_over() else _look_again_s
    job = newest.value
    if job and job.has_ended and job.finished_at:
        took = f", took {duration(job.duration_ms)}" if job.duration_ms is not None else ""
        st.caption(f"Last run: {origin(job).lower()}, {job.state} {ago(job.finished_at)}{took}.")
    return None


def _show_error(error: SyncTriggerError, backend: Backend) -> None:
    advice: Advice = explain_error(error, backend.client.url)
    request = f"\n\n:gray[Request {error.request_id}]" if error.request_id else ""
    box, icon = (st.warning, ":material/warning:") if error.status == 501 else (st.error, ":material/error:")
    box(f"**{advice.sentence}**\n\n{advice.remedy}{request}", icon=icon)
