"""A part of the page that runs again by itself, without a sleep in the script."""

from collections.abc import Callable

import streamlit as st


def ticking(name: str, body: Callable[[], float | None]) -> None:
    """Shows `body`, again after as many seconds as it returns; None waits for the user.

    A fragment's interval is fixed while it stands, so a new one takes a run of the whole page.
    """
    key = f"interval of {name}"

    @st.fragment(run_every=st.session_state.get(key), key=name)
    def run() -> None:
        interval_s = body()
        if interval_s != st.session_state.get(key):
            st.session_state[key] = interval_s
            st.rerun()

    run()
