"""What a release brings and refuses: every licence, a base image by digest, an audit that says what it did not do."""

import os
import re
import subprocess
from importlib.metadata import distributions
from pathlib import Path

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


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ('{"dependencies": [{"name": "jinja2", "version": "2.4.1", "vulns": [{"id": "PYSEC-1"}]}]}', ""),
        ('{"dependencies": [{"name": "jinja2", "version": "2.4.1", "vulns": []}]}', "it knows of none"),
        ('{"dependencies": [{"name": "jinja2", "skip_reason": "not found"}]}', "it knows of none"),
        ("", "no route to host"),
    ],
)
def test_an_audit_that_is_told_no_advisories_is_no_audit(tmp_path: Path, answer: str, said: str) -> None:
    """A release that is known to be bad must be told as bad; else the packages were not audited."""
    program = tmp_path / "pip-audit"
    program.write_text(f"#!/bin/sh\necho 'no route to host' >&2\necho '{answer}'\n")
    program.chmod(0o755)
    found = why_not(str(program))
    assert found.startswith(said)
    assert bool(found) == bool(said)


def test_an_audit_without_its_program_is_no_audit(tmp_path: Path) -> None:
    """It says so, and does not end in a traceback."""
    assert "No such file" in why_not(str(tmp_path / "pip-audit"))
