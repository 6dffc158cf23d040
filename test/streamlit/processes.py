"""The programs of the browser test: cluster, function, page and browser. Each ends with its block."""

import json
import os
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from conftest import PAGE, until

STEPS = "trades=trade sync: * trades written; rewards=reward sync: * rewards written"
_node = os.environ.get("NODE") or "node"
_stop_s = 30


class Stage:
    """The cluster of test/streamlit/stage.ts."""

    def __init__(self, stdin: IO[str], stdout: IO[str]) -> None:
        self._stdin, self._stdout = stdin, stdout
        opened = self._read()
        self.namespace: str = opened["namespace"]
        self.env: dict[str, str] = opened["env"]

    def seed(self, name: str, job: dict[str, object], **env: str) -> None:
        """Stores a CronJob of examples/kraken-sync with these members of its Jobs' spec and this environment."""
        self._ask({"seed": {"name": name, "env": env, "job": job}})

    def jobs(self, name: str) -> list[str]:
        """The Jobs that the CronJob has, as the API server itself lists them."""
        names: list[str] = self._ask({"jobs": name})["names"]
        return names

    def _ask(self, command: dict[str, object]) -> dict[str, Any]:
        self._stdin.write(f"{json.dumps(command)}\n")
        self._stdin.flush()
        return self._read()

    def _read(self) -> dict[str, Any]:
        line = self._stdout.readline()
        assert line, "the stage has ended; its error is above"
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextmanager
def open_stage() -> Iterator[Stage]:
    """A cluster with a namespace of its own."""
    pipe = subprocess.PIPE
    with subprocess.Popen([_node, "test/streamlit/stage.ts"], stdin=pipe, stdout=pipe, text=True) as process:  # noqa: S603
        assert process.stdin and process.stdout
        try:
            yield Stage(process.stdin, process.stdout)
        finally:
            process.stdin.close()
            process.wait(_stop_s)


@contextmanager
def run_function(stage: Stage, name: str, port: int) -> Iterator[str]:
    """functions/main.ts for this CronJob; gives its URL."""
    env = {"CRONJOB_NAME": name, "CRONJOB_NAMESPACE": stage.namespace, "SYNC_STEPS": STEPS, "PORT": str(port)}
    with _run([_node, "functions/main.ts"], {**stage.env, **env}, f"http://127.0.0.1:{port}/health/readiness"):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def run_page(function_url: str, home: Path) -> Iterator[str]:
    """The page as its image runs it; gives its URL."""
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", Path(PAGE).name, f"--server.port={port}"]
    env = {"SYNC_TRIGGER_URL": function_url, "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
    look = f"http://127.0.0.1:{port}/_stcore/health"
    with _run([*command, "--server.address=127.0.0.1"], env, look, cwd=Path(PAGE).parent):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def _run(command: list[str], env: dict[str, str], look: str, cwd: Path | None = None) -> Iterator[None]:
    known = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    process = subprocess.Popen(command, env={**known, **env}, cwd=cwd)  # noqa: S603
    try:
        until(f"{command[1]} to listen", lambda: _answers(look, process), 60)
        yield
    finally:
        process.terminate()
        process.wait(_stop_s)


def _answers(url: str, process: "subprocess.Popen[bytes]") -> bool:
    assert process.poll() is None, f"it ended with {process.returncode}"
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def chromium() -> str:
    """Debian's Chromium, or the one that CHROMIUM names."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    assert found, "Chromium is missing: apt-get install --no-install-recommends chromium"
    return found
