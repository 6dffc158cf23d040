"""The page in real Chromium, against the function as a process and a cluster whose Jobs really run."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import pytest
from conftest import until
from fake_function import FakeFunction, job_json
from playwright.sync_api import Browser, Locator, Page, WebSocket, expect, sync_playwright
from processes import Stage, chromium, free_port, open_stage, run_function, run_page
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

IS_REAL = os.environ.get("TEST_TARGET") == "real"
SHOTS = Path("reports/streamlit")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# On a real cluster a pod may have to wait for a place, and the Job's end for a busy Job controller.
_patience_ms = 300_000 if IS_REAL else 60_000

# Seconds of a sync that is looked at while it runs: each step lasts longer than a busy machine needs to show it.
LONG = "30"

# Opens the page for a CronJob of its own; gives it and what ends the function behind it.
OpenPage = Callable[..., tuple[Page, Callable[[], None]]]


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with open_stage() as opened:
        yield opened


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=_patience_ms)
    SHOTS.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    """What a test starts; ends in the opposite order."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def open_page(stage: Stage, browser: Browser, opened: ExitStack, tmp_path: Path) -> OpenPage:
    def open_for(name: str, job: dict[str, object] | None = None, **env: str) -> tuple[Page, Callable[[], None]]:
        stage.seed(name, job or {}, **env)
        function = opened.enter_context(ExitStack())
        url = function.enter_context(run_function(stage, name, free_port()))
        page_url = opened.enter_context(run_page(url, tmp_path))
        page = browser.new_page(viewport={"width": 1000, "height": 1500}, timezone_id="Europe/Berlin")
        page.set_default_timeout(_patience_ms)
        page.on("requestfailed", lambda request: print(f"failed: {request.url}: {request.failure}"))
        opened.callback(page.close)
        page.goto(page_url)
        return page, function.close

    return open_for


def shoot(page: Page, name: str) -> None:
    """A picture for people to look at."""
    page.mouse.move(0, 0)
    page.screenshot(path=SHOTS / f"{name}.png", full_page=True)


def state_in_table(page: Page, state: str) -> Locator:
    """The state of a run in the table; the cells that one sees are painted, these are for screen readers."""
    return page.locator("canvas td", has_text=state).first


def runs_of_the_script(page: Page) -> list[str]:
    """From the next load of the page on: "asked" when the browser asks for a run of the whole script, "ended" after it.

    A fragment's runs, which come each second, are left out.
    """
    events: list[str] = []

    def note_sent(frame: bytes | str) -> None:
        message = BackMsg.FromString(frame) if isinstance(frame, bytes) else BackMsg()
        if message.HasField("rerun_script") and not message.rerun_script.fragment_id:
            events.append("asked")

    def note_received(frame: bytes | str) -> None:
        message = ForwardMsg.FromString(frame) if isinstance(frame, bytes) else ForwardMsg()
        if message.HasField("script_finished") and message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
            events.append("ended")

    def listen(socket: WebSocket) -> None:
        socket.on("framesent", note_sent)
        socket.on("framereceived", note_received)

    page.on("websocket", listen)
    return events


def reran(page: Page, events: list[str]) -> bool:
    """Presses Streamlit's key for it, and tells whether a run that was asked for has ended.

    A key that comes while a fragment runs is lost.
    """
    page.locator("body").press("r")
    page.wait_for_timeout(500)
    return "asked" in events and "ended" in events[events.index("asked") :]


def test_a_click_runs_the_sync_and_shows_both_steps_the_log_and_the_result(stage: Stage, open_page: OpenPage) -> None:
    page, _ = open_page("succeeds", SYNC_SECONDS=LONG)
    expect(page.get_by_text("There is no run to show yet.")).to_be_visible()
    shoot(page, "1-before-the-first-run")
    page.get_by_role("button", name="Sync now").click()
    expect(page.get_by_role("button", name="Syncing…")).to_be_disabled()

    expect(page.get_by_text(re.compile(r"· trade sync: 117 trades written"))).to_be_visible()
    expect(page.get_by_text("not in the log yet")).to_be_visible()
    expect(page.get_by_text("reward sync: started")).to_be_visible()
    shoot(page, "2-running")

    expect(page.get_by_text(re.compile(r"· reward sync: 28 rewards written"))).to_be_visible()
    expect(page.get_by_text(re.compile(r"^The sync succeeded in \d+ s\.$"))).to_be_visible()
    expect(page.get_by_text("kraken-sync: done")).to_be_visible()
    expect(page.get_by_role("button", name="Sync now")).to_be_enabled()
    expect(state_in_table(page, "✓ Succeeded")).to_be_attached()
    shoot(page, "3-succeeded")
    assert len(stage.jobs("succeeds")) == 1


def test_a_double_click_a_rerun_and_a_reload_in_mid_run_make_one_job(stage: Stage, open_page: OpenPage) -> None:
    page, _ = open_page("once", SYNC_SECONDS="60")
    events = runs_of_the_script(page)
    page.reload()
    page.get_by_role("button", name="Sync now").dblclick()
    expect(page.get_by_text(re.compile(r"^Running for"))).to_be_visible()
    events.clear()
    until("the script to run again", lambda: reran(page, events))
    expect(page.get_by_role("button", name="Syncing…")).to_be_disabled()
    assert len(stage.jobs("once")) == 1
    page.reload()
    expect(page.get_by_text(re.compile(r"^Running for"))).to_be_visible()
    expect(page.get_by_role("button", name="Syncing…")).to_be_disabled()
    expect(page.get_by_text("trade sync: started")).to_be_visible()
    shoot(page, "4-reloaded-in-mid-run")
    expect(page.get_by_text(re.compile(r"^The sync succeeded"))).to_be_visible()
    assert len(stage.jobs("once")) == 1

    page.get_by_role("button", name="Sync now").click()
    expect(page.get_by_text(re.compile(r"^Running for"))).to_be_visible()
    until("the second Job", lambda: len(stage.jobs("once")) == 2)


def test_a_sync_that_fails_shows_its_reason(open_page: OpenPage) -> None:
    page, _ = open_page("fails", SYNC_SECONDS="3", SYNC_FAIL="rewards")
    page.get_by_role("button", name="Sync now").click()
    expect(page.get_by_text("The sync failed with exit code 3")).to_be_visible()
    expect(page.get_by_text("told to by SYNC_FAIL=rewards")).to_be_visible()
    expect(page.get_by_text("not seen in the log")).to_be_visible()
    expect(page.get_by_role("button", name="Sync now")).to_be_enabled()
    expect(state_in_table(page, "✗ Failed")).to_be_attached()
    shoot(page, "5-failed")


def test_a_run_that_is_removed_at_its_end_shows_how_it_ended(stage: Stage, open_page: OpenPage) -> None:
    page, _ = open_page("removed", {"ttlSecondsAfterFinished": 0}, SYNC_SECONDS=LONG)
    page.get_by_role("button", name="Sync now").click()
    expect(page.get_by_text(re.compile(r"^Running for"))).to_be_visible()
    expect(page.get_by_text(re.compile(r"^The sync succeeded"))).to_be_visible()
    expect(page.get_by_text("kraken-sync: done")).to_be_visible()
    expect(page.get_by_role("button", name="Sync now")).to_be_enabled()
    until("the Job to be gone", lambda: stage.jobs("removed") == [])
    expect(state_in_table(page, "✓ Succeeded")).to_be_attached()
    shoot(page, "8-removed-at-its-end")


def test_a_function_that_is_down_is_told_and_the_page_goes_on_when_it_is_up_again(
    stage: Stage, opened: ExitStack, open_page: OpenPage
) -> None:
    page, stop_function = open_page("down", SYNC_SECONDS="3")
    expect(page.get_by_role("button", name="Sync now")).to_be_enabled()
    stop_function()
    page.get_by_role("button", name="Sync now").click()
    expect(page.get_by_text("Trying again, with the same request.")).to_be_visible()
    expect(page.get_by_text(re.compile("The sync function does not answer at")).first).to_be_visible()
    expect(page.get_by_role("button", name="Try again")).to_be_enabled()
    shoot(page, "6-function-down")
    shown = page.get_by_text(re.compile("The sync function does not answer at")).first.locator("code").first
    opened.enter_context(run_function(stage, "down", urlsplit(shown.inner_text()).port or 0))
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text(re.compile(r"^The sync succeeded"))).to_be_visible()
    assert len(stage.jobs("down")) == 1


def luminance(css: str) -> float:
    """WCAG's relative luminance of a colour written as #rrggbb or rgb(r, g, b)."""
    parts = [int(part, 16) for part in re.findall("[0-9a-f]{2}", css)] if css[0] == "#" else re.findall(r"\d+", css)[:3]
    shares = [int(part) / 255 for part in parts]
    linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(text: Locator, page: Page) -> float:
    """WCAG's contrast of a text of a chart with the page behind it."""
    ground = page.get_by_test_id("stApp").evaluate("app => getComputedStyle(app).backgroundColor")
    dark, light = sorted([luminance(ground), luminance(text.get_attribute("fill") or "#000000")])
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_recent_runs_of_both_origins_can_be_read_in_light_and_in_the_dark(
    fake: FakeFunction, browser: Browser, opened: ExitStack, tmp_path: Path, scheme: Literal["light", "dark"]
) -> None:
    # Before the runs: how long ago they were is told once, and starting it takes a while.
    page_url = opened.enter_context(run_page(fake.url, tmp_path))
    for days in range(7):
        ends = [("scheduled", "failed" if days == 3 else "succeeded")] + [("manual", "succeeded")] * (days % 3 == 1)
        for number, (origin, state) in enumerate(ends):
            name, age_s = f"kraken-sync-{days}{number}", days * 86_400 + number * 7_000 + 600
            ran_ms = 41_000 + 3_000 * ((days * 5 + number) % 7)
            why = {"requestedReason": "Settings page"} if origin == "manual" else {}
            fake.jobs[name] = job_json(name, state, age_s, origin=origin, durationMs=ran_ms, **why)
    page = browser.new_page(viewport={"width": 1000, "height": 900}, color_scheme=scheme)
    page.set_default_timeout(_patience_ms)
    opened.callback(page.close)
    page.goto(page_url)
    for shown in ("Manual", "Scheduled", "✓ Succeeded", "✗ Failed"):
        expect(state_in_table(page, shown)).to_be_attached()
    chart = page.get_by_test_id("stVegaLiteChart")
    for shown in ("Manual", "Scheduled", "✗ failed"):
        expect(chart.get_by_text(shown)).to_be_attached()
    assert contrast(chart.get_by_text("✗ failed"), page) >= 4.2
    expect(page.get_by_text("Last run: scheduled, succeeded just now, took 41 s.")).to_be_visible()
    shoot(page, f"7-recent-runs-{scheme}")


def test_the_page_fetches_nothing_from_elsewhere(open_page: OpenPage) -> None:
    page, _ = open_page("local")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    page.get_by_role("button", name="Sync now").click()
    expect(page.get_by_text(re.compile(r"^The sync succeeded"))).to_be_visible()
    assert asked and [url for url in asked if urlsplit(url).hostname not in ("127.0.0.1", None)] == []
