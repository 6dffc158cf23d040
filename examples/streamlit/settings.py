"""The settings page. `streamlit run settings.py`; SYNC_TRIGGER_URL says where the function is."""

import streamlit as st
from backend import connect, is_address, settings_of_environment
from manual_sync import show_manual_sync
from recent_runs import show_recent_runs
from ticking import ticking

# One for all sessions of this process, as long as it lives.
shared_backend = st.cache_resource(show_spinner=False)(connect)

st.set_page_config(page_title="Settings")  # no page_icon: it would be fetched from the internet
st.title("Settings", anchor=False)

url, token_path = settings_of_environment()
if not is_address(url):
    st.error(
        "**`SYNC_TRIGGER_URL` is not an address.**\n\nSet it in the ConfigMap of this page, as "
        "`http://sync-trigger.NAMESPACE.svc.cluster.local`, then start the page again.",
        icon=":material/error:",
    )
    st.stop()

backend = shared_backend(url, token_path)
with st.container(border=True):
    ticking("manual sync", lambda: show_manual_sync(backend))
with st.container(border=True):
    ticking("recent runs", lambda: show_recent_runs(backend))
