"""The section "Recent runs": a chart and a table, manual and scheduled runs told apart."""

import altair as alt
import pandas as pd
import streamlit as st

from advice import explain_error
from backend import Backend
from sync_trigger import Job
from wording import asked_by, duration, origin, zone

_tick_s = 1.0
_look_again_s = 3.0
_patience_s = 0.4
_states = {"succeeded": "✓ Succeeded", "failed": "✗ Failed", "running": "▶ Running", "queued": "… Queued"}
_colours = alt.Scale(domain=["Manual", "Scheduled"], range=["#2563eb", "#94a3b8"])


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
    if runs is None:
        st.caption("Looking for runs…" if seen is None else "")
    elif not runs:
        st.caption("There is no run to show yet. The first one appears here.")
    else:
        _show_chart(_to_frame(runs))
        _show_table(_to_frame(runs))
    if seen is None:
        return _tick_s
    return None if poll.is_over else _look_again_s


def _to_frame(runs: list[Job]) -> pd.DataFrame:
    local = zone(st.context.timezone)
    return pd.DataFrame(
        {
            "Started": [job.created_at.astimezone(local) for job in runs],
            "Origin": [origin(job) for job in runs],
            "State": [_states.get(job.state, job.state) for job in runs],
            "Duration": ["" if job.duration_ms is None else duration(job.duration_ms) for job in runs],
            "Why": [asked_by(job) for job in runs],
            "Job": [job.name for job in runs],
            "Seconds": [None if job.duration_ms is None else job.duration_ms / 1_000 for job in runs],
            "Failed": [job.state == "failed" for job in runs],
        }
    )


def _show_table(frame: pd.DataFrame) -> None:
    columns = ["Started", "Origin", "State", "Duration", "Why", "Job"]
    config = {"Started": st.column_config.DatetimeColumn(format="D MMM, HH:mm:ss")}
    st.dataframe(frame[columns], hide_index=True, column_config=config, placeholder="")


def _show_chart(frame: pd.DataFrame) -> None:
    """Runs side by side, oldest left: on an axis of time, manual ones would hide behind each other."""
    shown = frame[frame["Seconds"].notna()].iloc[::-1]
    if shown.empty:
        return
    names = shown["Job"].tolist()
    tip = ["Job", "Origin", "State", "Duration", alt.Tooltip("Started:T", format="%d %b %Y, %H:%M:%S")]
    base = alt.Chart(shown).encode(x=alt.X("Job:N", sort=names, axis=None), tooltip=tip)
    bars = base.mark_bar(cornerRadiusTopLeft=3, cornerRadiusTopRight=3, size=22).encode(
        y=alt.Y("Seconds:Q", title="Seconds"),
        color=alt.Color("Origin:N", scale=_colours, legend=alt.Legend(orient="top", title=None)),
    )
    marks = base.transform_filter("datum.Failed").mark_text(dy=-9, text="✗ failed", color="#dc2626")
    st.altair_chart((bars + marks.encode(y="Seconds:Q")).properties(height=190))
