import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from fake_function import FakeFunction, serve
from streamlit.testing.v1 import AppTest

PAGE = "examples/streamlit/settings.py"


@pytest.fixture
def fake() -> Iterator[FakeFunction]:
    """The contract's fake, listening; it answers nothing that the function's description does not have."""
    with serve(FakeFunction()) as function:
        yield function
    assert function.undocumented == []


@pytest.fixture
def open_page(fake: FakeFunction, monkeypatch: pytest.MonkeyPatch) -> Callable[[], AppTest]:
    """Opens the page as a new session, as a reload does."""
    monkeypatch.setenv("SYNC_TRIGGER_URL", fake.url)
    return lambda: AppTest.from_file(str(Path(PAGE).resolve()), default_timeout=45).run()


@pytest.fixture(autouse=True)
def _own_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the backend, or the environment, of another."""
    st.cache_resource.clear()
    for name in ("SYNC_TRIGGER_URL", "SYNC_TRIGGER_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)


def until(what: str, look: Callable[[], object], timeout_s: float = 45.0) -> None:
    """Waits for a condition, looking again and again; fails after the deadline, saying what was waited for."""
    ends_at = time.monotonic() + timeout_s
    while not look():
        assert time.monotonic() < ends_at, f"waited {timeout_s} s in vain for {what}"
        time.sleep(0.02)
