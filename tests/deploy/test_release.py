"""What a release brings and refuses: every licence, a base image by digest, an audit that says what it did not do."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import distributions
from pathlib import Path
from threading import Thread

import pytest

from tools.advisories import why_not
from tools.licences import written

ROOT = Path(__file__).parents[2]
DIGEST = "python:3.11-slim-trixie@sha256:" + "0123456789abcdef" * 4


def checked(base: str) -> subprocess.CompletedProcess[str]:
    """Hold a base image against the rule of a release."""
    environment = {"PATH": os.environ["PATH"], "BASE_IMAGE": base}
    words = ["sh", "tools/base_images.sh"]
    return subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "base",
    ["", "python:3.11-slim-trixie", "python@sha256:12", DIGEST[:-1], DIGEST[:-1] + "z", DIGEST + " x"],
)
def test_a_base_image_without_a_whole_digest_is_refused(base: str) -> None:
    """A tag can be moved; the mend is named."""
    found = checked(base)
    assert found.returncode == 1
    assert "base image" in found.stderr


def test_a_base_image_by_digest_is_taken_and_every_stage_goes_by_it() -> None:
    """No FROM of the Dockerfile names an image by itself, and compose hands the same one on."""
    assert checked(DIGEST).returncode == 0
    froms = re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert set(froms) == {"${BASE_IMAGE}"}
    compose = (ROOT / "deploy/docker-compose.yml").read_text()
    assert compose.count("build:") == compose.count("BASE_IMAGE: ")


def test_every_locked_package_comes_with_its_licence() -> None:
    """The packages that run are all in the file, by the environment that holds them."""
    locked = set(
        re.findall(r"^([a-z0-9][\w.-]*)==", (ROOT / "requirements/run.txt").read_text(), re.MULTILINE)
    )
    here = [each for each in distributions() if re.sub(r"[-_.]+", "-", each.name).lower() in locked]
    text = written(here)
    assert len(here) > 30
    assert all(f"{each.name} {each.version}: " in text for each in here)
    assert text.count("Permission is hereby granted") > 10


@contextmanager
def serving(body: bytes, status: int = 200) -> Iterator[str]:
    """Serve one answer to everything."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_an_index_that_tells_no_advisories_is_said_to_tell_none() -> None:
    """Away, without that page, with an answer of another kind: only one that names vulnerabilities is believed."""
    with serving(b'{"info": {}, "vulnerabilities": []}') as index:
        assert why_not(index) == ""
    with serving(b'{"info": {}}') as index:
        assert "names no vulnerabilities" in why_not(index)
    with serving(b"", 404) as index:
        assert "404" in why_not(index)
    assert "refused" in why_not("http://127.0.0.1:1")
    assert why_not("file:///etc") == "that is no web address"
