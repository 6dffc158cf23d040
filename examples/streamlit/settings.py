"""The settings page. `streamlit run settings.py`; SYNC_TRIGGER_URL says where the function is."""

import streamlit as st
from backend import connect, settings_of_environment
from manual_sync import show_manual_sync
from recent_runs import show_recent_runs
from ticking import ticking

# One for all sessions of this process, as long as it lives.
shared_backend = st.cache_resource(show_spinner=False)(connect)

st.set_page_config(page_title="Settings")  # no page_icon: it would be fetched from the internet
st.title("Settings", anchor=False)

backend = shared_backend(*settings_of_environment())
with st.container(border=True):
    ticking("manual sync", lambda: show_manual_sync(backend))
with st.container(border=True):
    ticking("recent runs", lambda: show_recent_runs(backend))
