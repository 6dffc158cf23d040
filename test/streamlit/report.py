"""A pytest plugin: writes its counts to the file that TEST_REPORT names, in the shape of vitest's JSON reporter."""

import json
import os
from collections import defaultdict
from pathlib import Path

import pytest

_results: dict[str, dict[str, str]] = defaultdict(dict)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """A file that cannot be read counts as a failure."""
    if report.failed:
        _note(report.nodeid, "failed")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """A test has up to three phases: the worst of them counts."""
    if report.failed or report.skipped:
        _note(report.nodeid, "failed" if report.failed else "pending")
    elif report.when == "call":
        _note(report.nodeid, "passed")


def pytest_sessionfinish() -> None:
    """Prints the counts, and writes them where they are wanted."""
    states = [state for tests in _results.values() for state in tests.values()]
    passed, failed, skipped = (states.count(state) for state in ("passed", "failed", "pending"))
    print(f"\nthe page's tests: {passed} passed, {failed} failed, {skipped} skipped")
    path = os.environ.get("TEST_REPORT")
    if not path:
        return
    files = [
        {
            "name": file,
            "status": "failed" if "failed" in tests.values() else "passed",
            "assertionResults": [{"fullName": name, "status": state} for name, state in tests.items()],
        }
        for file, tests in _results.items()
    ]
    counts = {"numPassedTests": passed, "numFailedTests": failed, "numPendingTests": skipped}
    Path(path).write_text(json.dumps({**counts, "testResults": files}))


def _note(nodeid: str, state: str) -> None:
    file, _, name = nodeid.partition("::")
    if _results[file].get(name) != "failed":
        _results[file][name] = state
