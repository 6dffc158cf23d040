"""The function's own description of its answers, for the fake to keep to."""

import json
import os
import re
import shutil
import subprocess
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

_own_node = os.path.abspath("node_modules/.bin")  # noqa: PTH100


@cache
def document() -> dict[str, Any]:
    """GET /openapi.json."""
    node = os.environ.get("NODE") or shutil.which("node", path=f"{_own_node}:{os.environ['PATH']}") or "node"
    run = subprocess.run([node, "test/streamlit/openapi.ts"], capture_output=True, text=True, timeout=60)  # noqa: S603
    assert run.returncode == 0, run.stderr
    described: dict[str, Any] = json.loads(run.stdout)
    return described


def undocumented(method: str, path: str, status: int, headers: dict[str, str], body: str) -> list[str]:
    """What of an answer the function's description does not have."""
    about = f"{method} {path} {status}"
    template = re.sub(r"^/jobs/[^/]+", "/jobs/{name}", path)
    answer = document()["paths"].get(template, {}).get(method.lower(), {}).get("responses", {}).get(str(status))
    if answer is None:
        return [f"{about} is not documented"]
    known = {name.lower() for name in answer["headers"]} | {"content-type"}
    wrong = [f"{about}: header {name}" for name in headers if name.lower() not in known]
    media_type = headers["Content-Type"].partition(";")[0]
    if media_type not in answer["content"]:
        return [*wrong, f"{about}: content type {media_type}"]
    schema = answer["content"][media_type]["schema"]
    if media_type == "text/plain":
        return wrong
    validator = Draft202012Validator({**schema, "components": document()["components"]})
    return wrong + [f"{about}: {error.json_path}: {error.message}" for error in validator.iter_errors(json.loads(body))]


def codes_of(*operations: str) -> dict[str, int]:
    """The codes that these operations are documented to answer, such as "GET /jobs", each with its status."""
    codes: dict[str, int] = {}
    for operation in operations:
        method, path = operation.split(" ")
        for status, answer in document()["paths"][path][method.lower()]["responses"].items():
            found = re.findall(r"urn:sync-trigger:([a-z-]+)", json.dumps(answer))
            codes |= {code: int(status) for code in found}
    return codes
