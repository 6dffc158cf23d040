"""The function's contract in memory, for states that are hard to bring about with a real one."""

import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from contract import undocumented

NAMESPACE = "kraken"


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes


@dataclass
class Answer:
    """One answer that stands in for the model's own; it waits for its gate, and breaks off where it is told to."""

    status: int = 200
    json: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    text: str | None = None
    gate: threading.Event | None = None
    breaks_off: bool = False
    is_foreign: bool = False
    """Of a gateway, a newer function or something else: what the function documents says nothing of it."""


def problem(status: int, code: str, detail: str, headers: dict[str, str] | None = None, **members: Any) -> Answer:
    """An error as the function sends it."""
    body = {"type": f"urn:sync-trigger:{code}", "title": code, "status": status, "detail": detail, "instance": "req-1"}
    return Answer(status, {**body, **members}, {"Content-Type": "application/problem+json", **(headers or {})})


def foreign(status: int, text: str = "", **headers: str) -> Answer:
    """What answers in the function's place."""
    return Answer(status, text=text, headers=headers, is_foreign=True)


def created_json(name: str, outcome: str = "created", **members: Any) -> dict[str, Any]:
    """A trigger's answer as the function sends it."""
    job = {"name": name, "namespace": NAMESPACE, "uid": f"uid-{name}", "createdAt": _text(datetime.now(UTC))}
    links = {"job": f"/jobs/{name}", "logs": f"/jobs/{name}/logs"}
    return {"outcome": outcome, "job": {**job, **members}, "links": links}


def job_json(name: str, state: str = "running", age_s: float = 3, **members: Any) -> dict[str, Any]:
    """A Job as the function shows it."""
    created = datetime.now(UTC) - timedelta(seconds=age_s)
    job: dict[str, Any] = {
        "name": name,
        "namespace": NAMESPACE,
        "uid": f"uid-{name}",
        "origin": "manual",
        "state": state,
        "createdAt": _text(created),
    }
    if members.get("origin") != "scheduled":
        job |= {"via": "http"}
    if state != "queued":
        job |= {"startedAt": _text(created), "durationMs": round(age_s * 1_000)}
    if state in ("succeeded", "failed"):
        job |= {"finishedAt": _text(created + timedelta(seconds=age_s))}
    return {**job, **members}


def step_json(name: str, line: str | None = None) -> dict[str, Any]:
    """A step that was seen in a line, or was not."""
    if line is None:
        return {"name": name, "state": "unknown"}
    return {"name": name, "state": "seen", "line": line, "at": _text(datetime.now(UTC))}


def _text(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class FakeFunction:
    """A model of the routes: a Job for each key. `answers` go first: per "METHOD path" in order, the last one stays."""

    def __init__(self) -> None:
        self.jobs: dict[str, dict[str, Any]] = {}
        self.ends: dict[str, dict[str, Any]] = {}
        """How Jobs ended that were removed at their end: only who waited by then is told."""
        self.logs: dict[str, list[str]] = {}
        self.keys: dict[str, str] = {}
        self.answers: dict[str, list[Answer]] = {}
        self.requests: list[Request] = []
        self.undocumented: list[str] = []
        """What was answered otherwise than the function documents."""
        self.url = ""

    def asked(self, method: str, path: str, *, waits: bool = False) -> list[Request]:
        """The requests to a route so far, those that wait for an end or the others."""
        asked = [request for request in self.requests if (request.method, request.path) == (method, path)]
        return [request for request in asked if ("prefer" in request.headers) == waits]

    def answer(self, request: Request) -> Answer:
        scripted = self.answers.get(f"{request.method} {request.path}")
        if scripted:
            return scripted.pop(0) if len(scripted) > 1 else scripted[0]
        if (request.method, request.path) == ("POST", "/trigger-sync"):
            return self._trigger(request.headers["idempotency-key"])
        newest = sorted(self.jobs.values(), key=lambda job: str(job["createdAt"]), reverse=True)
        if request.path == "/jobs":
            return Answer(json={"jobs": newest})
        name = request.path.split("/")[2]
        if name == "latest":
            return Answer(json=newest[0]) if newest else problem(404, "job-not-found", "no Jobs")
        if name not in self.jobs:
            return problem(404, "job-not-found", f"Job {NAMESPACE}/{name} is not there")
        job: dict[str, Any] | None = self.jobs[name]
        if wait := re.fullmatch(r"wait=(\d+)", request.headers.get("prefer", "")):
            ends_at = time.monotonic() + int(wait[1])
            while job and job["state"] not in ("succeeded", "failed") and time.monotonic() < ends_at:
                time.sleep(0.02)
                job = self.jobs.get(name) or self.ends.get(name)
        return Answer(json=job) if job else problem(404, "job-not-found", f"Job {NAMESPACE}/{name} is not there")

    def _trigger(self, key: str) -> Answer:
        is_known = key in self.keys
        name = self.keys.setdefault(key, f"kraken-sync-m{len(self.keys) + 1}")
        if not is_known:
            self.jobs[name] = job_json(name, "queued", age_s=0, requestedReason="test")
        return Answer(json=created_json(name, "duplicate" if is_known else "created"))

    def follow(self, name: str) -> Iterator[str]:
        """Lines until the Job has ended."""
        sent = 0
        while True:
            has_ended = self.jobs.get(name, {}).get("state") in ("succeeded", "failed", None)
            fresh = self.logs.get(name, [])[sent:]  # a copy: a test may add lines while these are sent
            sent += len(fresh)
            yield from fresh
            if has_ended:
                return
            time.sleep(0.02)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    fake: FakeFunction

    def log_message(self, *_: Any) -> None: ...

    def do_GET(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def _handle(self) -> None:
        url = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        request = Request(self.command, url.path, parse_qs(url.query), headers, body)
        self.fake.requests.append(request)
        name = url.path.split("/")[2] if url.path.endswith("/logs") else None
        if name and f"GET {url.path}" not in self.fake.answers and name in self.fake.jobs:
            self._stream(self.fake.follow(name))
            return
        answer = self.fake.answer(request)
        if answer.gate:
            answer.gate.wait(30)
        self._send(request, answer)

    def _send(self, request: Request, answer: Answer) -> None:
        content = answer.text if answer.text is not None else json.dumps(answer.json)
        data = content.encode()
        media_type = "application/json" if answer.text is None else "text/plain"
        headers = {"Content-Type": media_type, **answer.headers}
        if not answer.is_foreign:
            self.fake.undocumented += undocumented(request.method, request.path, answer.status, headers, content)
        self.send_response(answer.status)
        for header, value in headers.items():
            self.send_header(header, value)
        self.send_header("Content-Length", str(len(data) + (1 if answer.breaks_off else 0)))
        self.end_headers()
        self.wfile.write(data)
        self.close_connection = answer.breaks_off

    def _stream(self, lines: Iterator[str]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            for line in lines:
                data = f"{line}\n".encode()
                self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            self.wfile.write(b"0\r\n\r\n")
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False


@contextmanager
def serve(fake: FakeFunction, port: int = 0) -> Iterator[FakeFunction]:
    """Listens on a port of this machine while the block runs."""
    server = _Server(("127.0.0.1", port), type("Handler", (_Handler,), {"fake": fake}))
    fake.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
