"""The command line: help everywhere, 0 good, 1 a bad answer, 2 wrong usage, and one line for each of these."""

import asyncio
import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from bot import cli, service
from bot.command_line.table import app
from bot.settings import Settings
from demo.servers.prometheus import PrometheusConfig, PrometheusServer
from triage.desk import Desk

ROOT = Path(__file__).parents[2]
COMMANDS = [
    "run",
    "demo",
    "agent",
    "doctor",
    "init",
    "check-config",
    "replay",
    "schema",
    "triage",
    "audit",
    "digest",
    "postmortem",
]
GOOD = {
    "SLACK_BOT_TOKEN": "xoxb-1-secret",
    "SLACK_APP_TOKEN": "xapp-1-secret",
    "TRIAGE_CHANNEL": "desk-alerts",
    "TRIAGE_WEBHOOK_AUTH": "off",
}
ALERT = {
    "status": "firing",
    "labels": {"alertname": "BotHardStopActive", "bot": "bot1", "severity": "critical"},
    "annotations": {"summary": "bot1 is in hard_stop"},
    "startsAt": "2026-02-21T09:30:00Z",
    "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "http://prometheus:9090/graph?g0.expr=up",
    "fingerprint": "a1b2c3d4e5f60718",
}
WEBHOOK = {
    "version": "4",
    "groupKey": '{}:{alertname="BotHardStopActive"}',
    "truncatedAlerts": 0,
    "status": "firing",
    "receiver": "hbot-triage",
    "groupLabels": {},
    "commonLabels": {},
    "commonAnnotations": {},
    "externalURL": "http://alertmanager:9093",
    "alerts": [ALERT],
}


@pytest.fixture(autouse=True)
def nothing_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in an empty folder, with no setting in the environment."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
        monkeypatch.delenv(f"{name.upper()}_FILE", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def good(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set what the service needs."""
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)


def run(*arguments: object, stdin: str | None = None) -> Result:
    """Run a command line."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments], input=stdin)


def write(path: Path, content: object) -> Path:
    """Write JSON to a file."""
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def one_line(result: Result, code: int) -> str:
    """Return the one line of a refusal."""
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    [line] = result.stderr.splitlines()
    return line


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    """--help works without any setting."""
    result = run(command, "--help")
    assert result.exit_code == 0
    assert f"Usage: hbot-triage {command}" in result.stdout


def test_the_help_names_every_command() -> None:
    """And there is none that is not tested here."""
    assert {
        command.name or command.callback.__name__ for command in app.registered_commands if command.callback
    } == {*COMMANDS}
    assert all(command in run("--help").stdout for command in COMMANDS)


@pytest.mark.parametrize(
    "arguments", [["reboot"], ["triage"], ["check-config", "--jsn"], ["demo", "--port", "70000"], []]
)
def test_wrong_usage_is_2(arguments: list[str]) -> None:
    """An unknown command, a missing argument, an unknown option, a value that cannot be, nothing at all."""
    assert run(*arguments).exit_code == 2


@pytest.mark.usefixtures("good")
def test_good_settings_are_said_to_be_good() -> None:
    """What they mean is listed; that nobody may press a button is said before somebody wonders."""
    result = run("check-config")
    assert result.exit_code == 0
    assert result.stdout.startswith("The settings are good.\n")
    assert "bot1, bot2, bot3" in result.stdout
    assert "nobody may press a button" in result.stdout
    assert "secret" not in result.output


@pytest.mark.usefixtures("good")
def test_checked_settings_as_json() -> None:
    """For a script: the same facts."""
    answer = json.loads(run("check-config", "--json").stdout)
    assert answer["good"] is True
    assert answer["facts"] == {
        "desk": "hbot",
        "bots": ["bot1", "bot2", "bot3"],
        "slack": "socket",
        "channel": "desk-alerts",
        "digest_channel": "desk-alerts",
        "operators": 0,
    }


@pytest.mark.usefixtures("good")
@pytest.mark.parametrize("command", [["doctor"], ["audit"], ["run"], ["digest"]])
def test_a_wrong_setting_is_one_line_in_every_command(
    command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The setting is named first, and the exit code is that of wrong usage."""
    monkeypatch.setenv("LOKI_URL", "loki:3100")
    assert one_line(run(*command), 2).startswith("hbot-triage: LOKI_URL: is no http(s) URL")


def test_missing_settings_are_one_line() -> None:
    """Run asks for the first that is missing; check-config says all of them."""
    assert one_line(run("run"), 2).startswith("hbot-triage: SLACK_BOT_TOKEN is not set: take ")
    assert run("check-config").stdout.count("missing") == 4


def test_a_service_that_is_interrupted_before_it_listens_ends_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its loop takes Ctrl-C as an order to end; until then Python raises."""

    def interrupted() -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(service, "main", interrupted)
    monkeypatch.setattr(os, "umask", lambda _: 0)
    monkeypatch.setattr(sys, "argv", ["hbot-triage", "run"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 130


def test_the_version_is_printed() -> None:
    """As a script asks for it."""
    assert run("--version").stdout.startswith("hbot-triage ")


def test_the_schema_of_desk_yaml_is_printed() -> None:
    """It knows every key, kind of action and check, and what ids, container names and times look like."""
    schema = json.loads(run("schema").stdout)
    assert set(Desk.model_fields) == set(schema["properties"])
    assert "rollback" in json.dumps(schema)
    parts = {name: part["properties"] for name, part in schema["$defs"].items() if "properties" in part}
    assert "scope" in parts["PlaybookSettings"]["checks"]["anyOf"][0]["items"]["enum"]
    patterns = {
        parts["Role"]["users"]["items"]["pattern"]: ("U0ANA00001", "ana"),
        parts["ComposeSettings"]["container_template"]["pattern"]: ("hbot-{service}", "hbot"),
        parts["ScheduleSettings"]["digest"]["pattern"]: ("5 0 * * *", "25:00"),
    }
    for pattern, (fits, fits_not) in patterns.items():
        assert re.search(pattern, fits)
        assert not re.search(pattern, fits_not)


def process(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own, as an operator does."""
    found = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(
        [sys.executable, "-m", "bot.cli", *arguments],
        env=found,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.slow
def test_a_port_that_is_taken_is_one_line() -> None:
    """No traceback: the address, the reason, the mend."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = process("run", **GOOD, TRIAGE_LISTEN=address)
    assert done.returncode == 2
    assert done.stderr == (
        f"hbot-triage: TRIAGE_LISTEN: cannot listen on {address} (Address already in use); "
        "choose another port, or end what holds it\n"
    )


def check_shape(body: dict[str, Any]) -> None:
    """Assert that a triage's JSON has what is promised."""
    assert body["findings"]
    for finding in body["findings"]:
        assert {"name", "status", "headline", "source", "seconds", "why"} <= finding.keys()
        assert finding["status"] in {"ok", "warning", "critical", "unknown"}
        assert isinstance(finding["seconds"], float)
    assert {"causes", "actions"} <= body["verdict"].keys()
    for cause in body["verdict"]["causes"]:
        assert {"cause", "confidence", "because"} <= cause.keys()
        assert 0 <= cause["confidence"] <= 1


@pytest.mark.parametrize("content", [WEBHOOK, ALERT, {"labels": ALERT["labels"]}])
def test_without_sources_a_triage_says_what_it_does_not_know(content: object, tmp_path: Path) -> None:
    """A webhook, an alert of it, or just its labels; every finding is unknown and says why: a bad answer."""
    result = run("triage", write(tmp_path / "alert.json", content), "--json")
    assert result.exit_code == 1
    body = json.loads(result.stdout)
    check_shape(body)
    assert {finding["status"] for finding in body["findings"]} == {"unknown"}
    assert all("not configured" in finding["why"] for finding in body["findings"])


@pytest.mark.slow
async def test_a_triage_with_an_answer_is_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Prometheus that answers is enough for exit code 0, as text and as JSON."""
    file = write(tmp_path / "alert.json", WEBHOOK)
    async with PrometheusServer(PrometheusConfig()) as prometheus:
        monkeypatch.setenv("PROMETHEUS_URL", prometheus.url)
        as_json = await asyncio.to_thread(run, "triage", file, "--json")
        text = await asyncio.to_thread(run, "triage", file)
    assert (as_json.exit_code, text.exit_code) == (0, 0)
    body = json.loads(as_json.stdout)
    check_shape(body)
    assert {finding["status"] for finding in body["findings"]} > {"unknown"}
    assert text.stdout.startswith(f"{body['severity']} · {body['title']}\n")
    for finding in body["findings"]:
        assert finding["name"] in text.stdout


def test_an_alert_may_come_from_standard_input() -> None:
    """A dash for the file, as other commands have it; nothing is stored on the way."""
    assert json.loads(run("triage", "-", "--json", stdin=json.dumps(ALERT)).stdout)["title"]
    assert list(Path.cwd().iterdir()) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "the file is not JSON"),
        ("[]", "the file must hold a JSON object"),
        ('{"alerts": []}', "version: Field required"),
        (json.dumps({**WEBHOOK, "alerts": []}), "alerts: the webhook holds no alert"),
        ("{}", "labels"),
        ('{"labels": {}, "status": "burning"}', "status"),
        ('{"labels": {"alertname": "A"}, "startsAt": "yesterday"}', "startsAt"),
    ],
)
def test_a_bad_alert_is_one_line(text: str, says: str, tmp_path: Path) -> None:
    """The line says what is wrong with the file, and where in it."""
    (tmp_path / "alert.json").write_text(text, encoding="utf-8")
    assert says in one_line(run("triage", tmp_path / "alert.json"), 2)


def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    """A path that is not there, a folder, and bytes that are no text."""
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    for name in ("none.json", ".", "bytes"):
        line = one_line(run("triage", tmp_path / name), 2)
        assert line.startswith(f"hbot-triage: {tmp_path / name} cannot be read: ")


@pytest.mark.slow
@pytest.mark.parametrize("levels", [["level 0", "level 2"], ["level 0"]], ids=["compiled", "not compiled"])
def test_the_service_begins_without_docstrings_where_its_bytecode_is_there(
    tmp_path: Path, levels: list[str]
) -> None:
    """Without that bytecode it would compile everything at each start; each interpreter that starts says its level."""
    (tmp_path / "sitecustomize.py").write_text(
        "import sys; sys.stderr.write(f'level {sys.flags.optimize}\\n')\n"
    )
    kept = tmp_path / "bytecode"
    for file in (Path(cli.__file__).with_name("app.py"), Path(os.__file__).with_name("subprocess.py")):
        place = Path(f"{kept}{file.with_suffix('')}.{sys.implementation.cache_tag}.opt-2.pyc")
        place.parent.mkdir(parents=True, exist_ok=True)
        if "level 2" in levels:
            place.touch()
    told = subprocess.run(
        [sys.executable, "-m", "bot.cli", "run"],
        capture_output=True, text=True, check=False, timeout=60,
        env={"PYTHONPATH": f"{tmp_path}:{ROOT}", "PYTHONPYCACHEPREFIX": str(kept)},
    )  # fmt: skip
    assert [line for line in told.stderr.splitlines() if line.startswith("level")] == levels
    assert "SLACK_BOT_TOKEN" in told.stderr
    assert told.returncode == 2
