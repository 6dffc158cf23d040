"""A run as a timeline that ticks, its log and its end."""

import time

import streamlit as st

from advice import explain_error, explain_failure, explain_wait, plain
from background import LogTail, Seen
from sync_trigger import Job, Step, SyncTriggerError
from wording import asked_by, clock, duration, origin, step_label, zone

_log_height = 300


def show_start(retry_after: SyncTriggerError | None, url: str) -> None:
    """The moment between the click and the Job."""
    with st.status("Starting the sync…", state="running", type="step", expanded=True):
        if retry_after is None:
            st.caption("The function may need a few seconds to wake up.")
        else:
            st.caption(f"{explain_error(retry_after, url).sentence} Trying again, with the same request.")


def show_run(name: str, seen: Seen[Job] | None, tail: LogTail) -> None:
    """A run as last seen; without anything seen yet, its name."""
    job = seen.value if seen else None
    if seen is None or job is None:
        with st.status("Started", state="running", type="step", expanded=True):
            st.caption(f"Job `{name}`")
        return
    local = zone(st.context.timezone)
    with st.status(_opening(job), state="complete", type="step", expanded=True):
        by = asked_by(job)
        st.caption(f"{clock(job.created_at, local)} · Job `{name}`" + (f" · {plain(by)}" if by else ""))
    is_next = job.state == "running"
    for step in job.steps:
        is_next = _show_step(step, job, is_next)
    _show_end(job, seen.at)
    _show_log(job, tail)


def _opening(job: Job) -> str:
    return "Started by the schedule" if job.origin == "scheduled" else "Started"


def _show_step(step: Step, job: Job, is_next: bool) -> bool:
    """A line for a step; gives whether the step behind it is the one to wait for."""
    label = step_label(step.name)
    if step.state == "seen":
        with st.status(f"**{label}**", state="complete", type="step", expanded=True):
            at = f"{clock(step.at, zone(st.context.timezone))} · " if step.at else ""
            st.caption(at + plain(step.line or "done"))
        return is_next
    if is_next:
        with st.status(f"**{label}**", state="running", type="step", expanded=True):
            st.caption("not in the log yet")
        return False
    with st.expander(label, icon=":material/radio_button_unchecked:", type="step", expanded=True):
        st.caption("not seen in the log" if job.has_ended else "waiting")
    return False


def _show_end(job: Job, seen_at: float) -> None:
    took = "" if job.duration_ms is None else duration(job.duration_ms)
    if job.state == "succeeded":
        st.success(f"**The sync succeeded** in {took}." if took else "**The sync succeeded.**", icon=":material/check:")
    elif job.state == "failed":
        advice = explain_failure(job)
        after = f" after {took}" if took else ""
        st.error(f"**{advice.sentence}**\n\n{advice.remedy}", icon=":material/error:")
        st.caption(f"Failed{after}.")
        if job.last_lines:
            st.caption("Last lines of the log")
            st.code("\n".join(job.last_lines), language=None, wrap_lines=True)
    elif advice := explain_wait(job):
        st.warning(f"**{advice.sentence}**\n\n{advice.remedy}", icon=":material/hourglass:")
    elif job.state == "queued":
        st.caption("Kubernetes is starting it…")
    elif job.duration_ms is not None:
        # By our own clock since the look: the cluster's and ours may differ.
        st.caption(f"Running for {duration(job.duration_ms + (time.monotonic() - seen_at) * 1_000)}")


def _show_log(job: Job, tail: LogTail) -> None:
    lines = tail.read()
    if not lines and tail.error and job.has_ended:
        return
    with st.expander("Log", icon=":material/article:", expanded=True):
        if not lines:
            st.caption("Nothing yet.")
            return
        with st.container(height=_log_height, autoscroll=True, border=False):
            st.code("\n".join(lines), language=None, wrap_lines=True)
        if tail.error:
            st.caption("The log broke off; it comes back by itself.")
