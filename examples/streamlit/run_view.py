"""A run as a timeline that ticks, its log and its end."""

import time
from typing import Literal

import streamlit as st
from advice import explain_error, explain_failure, explain_wait, plain
from background import LogTail, Seen
from sync_trigger import Job, Step, SyncTriggerError
from wording import asked_by, clock, duration, step_label, zone

_log_height = 300
_lines_that_fit = 11


def show_start(retry_after: SyncTriggerError | None, url: str) -> None:
    """The moment between the click and the Job."""
    if retry_after is None:
        text = "The function may need a few seconds to wake up."
    else:
        text = f"{explain_error(retry_after, url).sentence} Trying again, with the same request."
    _show_line("Starting the sync…", "running", text)


def show_run(name: str, seen: Seen[Job] | None, tail: LogTail, is_followed: bool, url: str) -> None:
    """A run as last seen; without anything seen yet, its name. One that is not followed any more stands still."""
    job = seen.value if seen else None
    if seen is None or job is None:
        _show_line("Started", "running", f"Job `{name}`")
        return
    local = zone(st.context.timezone)
    by = asked_by(job)
    about = f"{clock(job.created_at, local)} · Job `{name}`" + (f" · {plain(by)}" if by else "")
    _show_line(_opening(job), "complete", about)
    is_next = is_followed and job.state == "running"
    for step in job.steps:
        is_next = _show_step(step, is_next, is_followed and not job.has_ended)
    if is_followed or job.has_ended:
        _show_end(job, seen.at, tail)
    else:
        st.status("Not seen any further", state="error", type="step")
    _show_log(job, tail, url)


def _show_line(label: str, state: Literal["running", "complete"], text: str) -> None:
    # Not as a `with` block: at its end Streamlit would call the line complete.
    st.status(label, state=state, type="step", expanded=True).caption(text)


def _opening(job: Job) -> str:
    return "Started by the schedule" if job.origin == "scheduled" else "Started"


def _show_step(step: Step, is_next: bool, may_come: bool) -> bool:
    """A line for a step; gives whether the step behind it is the one to wait for."""
    label = step_label(step.name)
    if step.state == "seen":
        at = f"{clock(step.at, zone(st.context.timezone))} · " if step.at else ""
        _show_line(f"**{label}** :green-badge[:material/check: done]", "complete", at + plain(step.line or ""))
        return is_next
    if is_next:
        _show_line(f"**{label}**", "running", "not in the log yet")
        return False
    with st.expander(label, icon=":material/radio_button_unchecked:", type="step", expanded=True):
        st.caption("waiting" if may_come else "not seen in the log")
    return False


def _show_end(job: Job, seen_at: float, tail: LogTail) -> None:
    """The end of the timeline, which a line without content is, and the result below it."""
    took = "" if job.duration_ms is None else duration(job.duration_ms)
    if job.has_ended:
        at = f" {clock(job.finished_at, zone(st.context.timezone))}" if job.finished_at else ""
        st.status(f"Ended{at}", state="complete" if job.state == "succeeded" else "error", type="step")
    if job.state == "succeeded":
        st.success("**The sync succeeded**" + (f" in {took}." if took else "."), icon=":material/check_circle:")
    elif job.state == "failed":
        advice = explain_failure(job)
        after = f" It ran for {took}." if took else ""
        st.error(f"**{advice.sentence}**{after}\n\n{advice.remedy}", icon=":material/error:")
        if job.last_lines and not tail.read():
            st.caption("The last lines of its log:")
            st.code("\n".join(job.last_lines), language=None, wrap_lines=True)
    elif wait := explain_wait(job):
        st.status("Waiting", state="running", type="step")
        st.warning(f"**{wait.sentence}**\n\n{wait.remedy}", icon=":material/hourglass:")
    elif job.state == "queued" or job.duration_ms is None:
        st.status("Kubernetes is starting it…", state="running", type="step")
    else:
        # Counted on by our own clock since the look: the cluster's and ours may differ.
        now_ms = job.duration_ms + (time.monotonic() - seen_at) * 1_000
        st.status(f"Running for {duration(now_ms)}", state="running", type="step")


def _show_log(job: Job, tail: LogTail, url: str) -> None:
    lines = tail.read()
    is_without = tail.error is not None and tail.error.code == "no-log" and not job.last_lines
    if not lines and tail.error and job.has_ended and not is_without:
        return
    with st.expander("Log", icon=":material/article:", expanded=True):
        if not lines:
            st.caption(_explain_log_error(tail, url) or "Nothing yet.")
            return
        height: Literal["content"] | int = "content" if len(lines) <= _lines_that_fit else _log_height
        with st.container(height=height, autoscroll=True, border=False):
            st.code("\n".join(lines), language=None, wrap_lines=True)
        if explained := _explain_log_error(tail, url):
            st.caption(explained)


def _explain_log_error(tail: LogTail, url: str) -> str | None:
    if tail.error is None or tail.error.code == "no-log-yet":
        return None
    if tail.error.code == "no-log":
        return explain_error(tail.error, url).sentence
    if tail.error.is_passing:
        return "The log broke off; it comes back by itself."
    advice = explain_error(tail.error, url)
    return f"The log cannot be read. {advice.sentence} {advice.remedy}"
