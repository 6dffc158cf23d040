"""The section "Recent runs": a chart and a table, manual and scheduled runs told apart."""

import altair as alt
import streamlit as st
from advice import explain_error
from backend import Backend
from sync_trigger import Job
from wording import asked_by, clock, duration, origin, zone

_tick_s = 1.0
_look_again_s = 3.0
_patience_s = 0.4
_states = {"succeeded": "✓ Succeeded", "failed": "✗ Failed", "running": "▶ Running", "queued": "… Queued"}
_colours = alt.Scale(domain=["Manual", "Scheduled"], range=["#2563eb", "#94a3b8"])
_failed_colour = "#e5383b"  # as far from white as from the dark theme's black


def show_recent_runs(backend: Backend) -> float | None:
    """Draws the section; gives the seconds after which it may have something new to show."""
    state = st.session_state
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.subheader("Recent runs", anchor=False, width="content")
        if st.button("Refresh", icon=":material/refresh:", type="tertiary", key="refresh"):
            state["history"] = backend.history()
    poll = state.setdefault("history", backend.history())
    seen = poll.read(_patience_s)
    if seen is not None and seen.value is not None:
        state["runs"] = seen.value
    runs: list[Job] | None = state.get("runs")
    if seen is not None and seen.error:
        st.caption(explain_error(seen.error, backend.client.url).sentence)
    if shown := _with_followed(backend, runs or []):
        _show_chart(shown)
        _show_table(shown)
    elif seen is None:
        st.caption("Looking for runs…")
    elif not seen.error:
        st.caption("There is no run to show yet. The first one appears here.")
    if seen is None:
        return _tick_s
    return None if poll.is_over() else _look_again_s


def _with_followed(backend: Backend, runs: list[Job]) -> list[Job]:
    """The runs with the one above as it was seen last: later than the list, and perhaps removed at its end."""
    name = st.session_state.get("job")
    seen = backend.job(name).seen if name else None
    shown = {job.uid: job for job in runs}
    if seen and (job := seen.value) and (job.has_ended or job.uid in shown):
        shown[job.uid] = job
    return sorted(shown.values(), key=lambda job: job.created_at, reverse=True)


def _show_chart(runs: list[Job]) -> None:
    """Runs side by side, oldest left: on an axis of time, manual ones would hide behind each other."""
    ended = [(job, job.duration_ms) for job in reversed(runs) if job.has_ended and job.duration_ms is not None]
    if not ended:
        return
    unit, unit_ms = ("Minutes", 60_000) if max(ms for _, ms in ended) > 180_000 else ("Seconds", 1_000)
    local = zone(st.context.timezone)
    bars: list[dict[str, object]] = [
        {
            "Job": job.name,
            "Origin": origin(job),
            "State": _states[job.state],
            "Started": clock(job.created_at, local),
            "Duration": duration(ms),
            "Length": ms / unit_ms,
            "Failed": job.state == "failed",
        }
        for job, ms in ended
    ]
    chart = alt.Chart({"values": bars}).encode(
        x=alt.X("Job:N", sort=[job.name for job, _ in ended], axis=None),
        y=alt.Y("Length:Q", title=unit),
        tooltip=[alt.Tooltip(f"{name}:N") for name in ("Started", "Origin", "State", "Duration", "Job")],
    )
    colour = alt.Color("Origin:N", scale=_colours, legend=alt.Legend(orient="top", title=None))
    shown = chart.mark_bar(cornerRadiusTopLeft=3, cornerRadiusTopRight=3, size=22).encode(color=colour)
    failed = chart.transform_filter("datum.Failed").mark_text(
        dy=-9, text="✗ failed", color=_failed_colour, fontSize=13, fontWeight="bold"
    )
    st.altair_chart((shown + failed).properties(height=190), alt="How long the recent runs took")


def _show_table(runs: list[Job]) -> None:
    local = zone(st.context.timezone)
    rows = [
        {
            "Started": job.created_at.astimezone(local),
            "Origin": origin(job),
            "State": _states.get(job.state, job.state),
            "Duration": duration(job.duration_ms) if job.has_ended and job.duration_ms is not None else "",
            "Why": asked_by(job),
            "Job": job.name,
        }
        for job in runs
    ]
    config = {
        "Started": st.column_config.DatetimeColumn(format="D MMM, HH:mm:ss"),
        "Why": st.column_config.TextColumn(width=110),
    }
    st.dataframe(rows, hide_index=True, column_config=config)
