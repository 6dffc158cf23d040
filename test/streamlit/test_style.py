"""Format, lint and types of the page and of these tests."""

import subprocess
import sys
from pathlib import Path

import pytest

PATHS = ["examples/streamlit", "test/streamlit"]
CONFIG = ["--no-cache", "--config", "test/streamlit/pyproject.toml"]


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "format", "--diff", *CONFIG, *PATHS],
        ["ruff", "check", *CONFIG, *PATHS],
        ["mypy", "--config-file", "test/streamlit/pyproject.toml", *PATHS],
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_the_code_is_clean(command: list[str], tmp_path: Path) -> None:
    env = {"MYPYPATH": ":".join(PATHS), "MYPY_CACHE_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"}
    run = subprocess.run([sys.executable, "-m", *command], env=env, capture_output=True, text=True, timeout=300)  # noqa: S603
    assert run.returncode == 0, run.stdout + run.stderr


def test_no_module_is_over_300_lines() -> None:
    lengths = {file: len(file.read_text().splitlines()) for path in PATHS for file in Path(path).glob("*.py")}
    assert {file.name: lines for file, lines in lengths.items() if lines > 300 and "test_" not in file.name} == {}
