"""An action is one file, and so are a command and a KPI; a source or a fallback channel is one folder.

A copy of the tree gets a dummy, and everything that lists them knows it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from triage.action_kinds import KINDS
from triage.kpis.limits import KPIS

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("one-file")]  # one process answers for all of them

ROOT = Path(__file__).parents[2]
PACKAGES = ("bot", "demo", "handlers", "schedules", "tools", "triage")

DUMMY = '''
"""Polish the bot."""

from triage.actions.base import Action, ActionContext, TargetKind
from triage.plans.plan import Plan, Precondition


class Polish(Action):
    """Nothing is done."""

    kind = "polish_2x"
    label = "Polish it"
    description = "make the bot shine"
    dangerous = True
    target_kind = TargetKind.BOT

    async def preconditions(self, ctx: ActionContext) -> tuple[Precondition, ...]:
        """None."""
        return ()

    async def plan(self, ctx: ActionContext) -> Plan:
        """No step."""
        return Plan(self.kind, ctx.target, f"Polish {ctx.target}", ())


ACTION = Polish()
'''

DUMMY_COMMAND = '''
"""Greets."""

from handlers.slack.command import Call, Command, CommandServices
from triage.ports.chat import Answer, saying


async def _run(services: CommandServices, call: Call, words: tuple[str, ...]) -> Answer:
    return saying(f"hello {call.user}")


COMMAND = Command(word="greet", usage="greet [name]", description="say hello", run=_run)
'''

ASK_COMMANDS = """
import json
from handlers.slack.command_catalogue import COMMANDS
from triage.wording import nearest
from handlers.slack.commands.help import help_answer
from tools.tables import commands_table

print(json.dumps({
    "dispatch": COMMANDS["greet"].usage,
    "help": "say hello" in [line.text for line in help_answer(COMMANDS.values()).sections[0].lines],
    "nearest": nearest("gret", COMMANDS),
    "docs": "| `/triage greet [name]` | say hello |" in commands_table(),
}))
"""

DUMMY_KPI = '''
"""Minutes with a state."""

from triage.kpis.definition import KpiDefinition
from triage.kpis.grid import MinuteGrid
from triage.kpis.limits import KpiLimits
from triage.kpis.measure import kpi
from triage.kpis.model import Kpi


def minutes_seen(grid: MinuteGrid, limits: KpiLimits) -> Kpi:
    """None has to be missing."""
    value = grid.present
    return kpi("minutes_seen", value=value, limit=9, unit="min", good=value >= 9, why="few", rows=1, of=1)


KPI = KpiDefinition(
    "minutes_seen", place=15, title="Minutes seen", measure=minutes_seen, value="minutes", passes="≥ 9", asked="≥ {}"
)
'''

ASK_KPIS = """
import json
from tools.tables import kpis_table
from triage.desk import Desk
from triage.kpis.grid import MinuteGrid
from triage.kpis.limits import KpiLimits
from triage.kpis.report import kpis
from triage.reports.digest.lines import kpi_line

grid = MinuteGrid(0, 10)
found = kpis(grid, KpiLimits(), grid)
line = kpi_line(found[1])
print(json.dumps({
    "measured": [found[1].name, found[1].value, found[1].status],
    "digest": [line.name, line.text],
    "setting": list(Desk.model_validate({"kpis": {"may_be_missing": ["minutes_seen"]}}).kpis.may_be_missing),
    "docs": "| `minutes_seen` | minutes | ≥ 9 |" in kpis_table(),
    "count": len(found),
}))
"""

DUMMY_SOURCE = {
    "__init__.py": '"""A source that nobody has."""\n',
    "settings.py": '''
"""Its settings."""

from pydantic import BaseModel

from bot.http_url import HttpUrl


class AlmanacSettings(BaseModel):
    """Where the almanac is."""

    almanac_url: HttpUrl = ""


SETTINGS = AlmanacSettings
''',
    "source.py": '''
"""The almanac."""

from bot.sources.almanac.settings import AlmanacSettings
from bot.sources.declaration import EvidenceSource, Opening, SourceHealth
from bot.sources.not_configured import not_configured
from triage.desk import Desk


class Almanac:
    """Tells tides."""

    def __init__(self, url: str) -> None:
        self.url = url


def _open(settings: AlmanacSettings, opening: Opening) -> object:
    return Almanac(settings.almanac_url) if settings.almanac_url else not_configured("Almanac")


async def _look(desk: Desk, almanac: Almanac) -> SourceHealth:
    return SourceHealth("ok", f"asked at {almanac.url}")


SOURCE = EvidenceSource("almanac", "", "ALMANAC_URL", AlmanacSettings, _open, _look)
''',
}

ASK_SOURCES = """
import asyncio, json
from bot.doctor.examine import source_questions
from bot.settings import load_settings
from bot.wiring.sources import open_configured
from tools.tables import TABLES
from triage.errors import SettingError

async def seen(settings):
    async with open_configured(settings) as opened:
        report = await dict(source_questions(settings.desk, opened))["almanac"]()
        return opened.adapters["almanac"].url, report.state, report.seen

def refused():
    try:
        load_settings({"ALMANAC_URL": "tides"})
    except SettingError as error:
        return str(error)

print(json.dumps({
    "seen": asyncio.run(seen(load_settings({"ALMANAC_URL": "http://tides"}))),
    "refused": refused(),
    "docs": "| `ALMANAC_URL` |" in TABLES["settings"](),
}))
"""

DUMMY_CHANNEL = {
    "__init__.py": '"""A pager that nobody has."""\n',
    "settings.py": '''
"""Its settings."""

from pydantic import BaseModel, SecretStr

from bot.http_url import SecretUrl

ADDRESS = "TRIAGE_FALLBACK_PAGER"


class PagerSettings(BaseModel):
    """Where the pager is."""

    triage_fallback_pager: SecretUrl = SecretStr("")


SETTINGS = PagerSettings
''',
    "channel.py": '''
"""The pager."""

from bot.fallback.declaration import FallbackDeclaration
from bot.fallback.pager.settings import ADDRESS


class Pager:
    """Beeps."""

    name = "pager"

    def __init__(self, url):
        self.url = url

    async def examine(self):
        """Say where it is."""
        return f"beeps at {self.url}"


CHANNEL = FallbackDeclaration("pager", ADDRESS, lambda given: Pager(given.triage_fallback_pager.get_secret_value()))
''',
}

ASK_CHANNELS = """
import asyncio, json
from bot.doctor.examine import fallback_questions
from bot.fallback.registry import open_channels
from bot.settings import load_settings
from tools.tables import TABLES
from triage.errors import SettingError

def refused():
    try:
        load_settings({"TRIAGE_FALLBACK_PAGER": "beep"})
    except SettingError as error:
        return str(error)

paged = load_settings({"TRIAGE_FALLBACK_PAGER": "http://pager"})
report = asyncio.run(dict(fallback_questions(paged))["pager"]())
print(json.dumps({
    "opened": list(open_channels(paged)),
    "doctor": [report.state, report.seen],
    "none": asyncio.run(dict(fallback_questions(load_settings({})))["fallback"]()).mend,
    "secret": "http://pager" in paged.secrets,
    "refused": refused(),
    "docs": "| `TRIAGE_FALLBACK_PAGER` |" in TABLES["settings"](),
}))
"""

ASK = """
import json, re
from bot.agent.protocol import Confirm
from handlers.slack.actions import PRESSED
from bot.slack.blocks.symbols import dangerous
from triage.actions.catalogue import label_of
from handlers.slack.commands import do as do_command
from tools.tables import actions_table
from triage.actions.catalogue import CATALOGUE, find
from triage.desk import Desk
from triage.playbooks.lookup import playbook_for

desk = Desk.model_validate({
    "actions": {"polish_2x": {"confirmations": 2}},
    "playbooks": {"BotFrozen": {"actions": ["polish_2x"]}},
})
print(json.dumps({
    "catalogue": find(desk, "polish_2x", "bot1").description,
    "desk.yaml": desk.policy("polish_2x").confirmations,
    "playbook": list(playbook_for(desk, "BotFrozen").actions),
    "button": [label_of("polish_2x"), dangerous("polish_2x")],
    "pressed": PRESSED.match("action.polish_2x") is not None,
    "agent": re.search(Confirm.model_json_schema()["properties"]["kind"]["pattern"], "polish_2x") is not None,
    "command": "polish_2x" in do_command.KINDS,
    "schema": "polish_2x" in json.dumps(Desk.model_json_schema()),
    "docs": "| polish_2x | Polish it | bot | make the bot shine |" in actions_table(),
    "others": len(CATALOGUE),
}))
"""


EACH = """
import contextlib, io, json, sys, traceback

def answer(script):
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            exec(script, {})
        return json.loads(said.getvalue())
    except Exception:
        return traceback.format_exc()

print(json.dumps({name: answer(script) for name, script in json.load(sys.stdin).items()}))
"""
"""Answers several questions, each as if it were asked alone."""


def copied(folder: Path) -> Path:
    """A copy of the packages, without the tests; its files keep their dates, so what is compiled of them stays good."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("static"))
    return folder


def _asked(tree: Path, script: str, given: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    return subprocess.run(
        [sys.executable, "-c", script],
        cwd=tree,
        env=environment,
        input=given,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Put one of each thing into a copy of the tree, and ask everything that should know it; a traceback where it fails."""
    tree = copied(tmp_path_factory.mktemp("grown"))
    shutil.copy(ROOT / ".env.example", tree)
    folders = {"bot/sources/almanac": DUMMY_SOURCE, "bot/fallback/pager": DUMMY_CHANNEL}
    files = {
        "triage/actions/kinds/polish_2x.py": DUMMY,
        "handlers/slack/commands/greet.py": DUMMY_COMMAND,
        "triage/kpis/checklist/minutes_seen.py": DUMMY_KPI,
        **{f"{folder}/{name}": text for folder, each in folders.items() for name, text in each.items()},
    }
    for folder in folders:
        (tree / folder).mkdir()
    for name, text in files.items():
        (tree / name).write_text(text, encoding="utf-8")
    registry = tree / "bot/sources/registry.py"
    written = registry.read_text(encoding="utf-8")
    registry.write_text(written.replace('"grafana")', '"grafana", "almanac")'), encoding="utf-8")
    asked = {
        "action": ASK,
        "command": ASK_COMMANDS,
        "kpi": ASK_KPIS,
        "source": ASK_SOURCES,
        "channel": ASK_CHANNELS,
    }
    answer = _asked(tree, EACH, json.dumps(asked))
    assert answer.returncode == 0, answer.stderr
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


def test_one_new_file_is_known_wherever_actions_are_listed(answers: dict[str, Any]) -> None:
    """Catalogue, desk.yaml and its schema, playbooks, button, command and docs know it; no other file was touched."""
    seen = answers["action"]
    assert isinstance(seen, dict), seen
    assert seen["catalogue"] == "make the bot shine"
    assert seen["desk.yaml"] == 2
    assert seen["playbook"] == ["polish_2x"]
    assert seen["button"] == ["Polish it", True]
    assert seen["pressed"]
    assert seen["agent"]
    assert seen["command"]
    assert seen["schema"]
    assert seen["docs"]
    assert seen["others"] == len(KINDS) + 1


def test_a_file_that_is_no_action_stops_the_start_and_says_why(tmp_path: Path) -> None:
    """A file in the folder of kinds without an action of its name is a mistake of its author."""
    tree = copied(tmp_path)
    (tree / "triage/actions/kinds/polish_2x.py").write_text('"""Nothing."""\n', encoding="utf-8")
    answer = _asked(tree, ASK)
    assert answer.returncode != 0
    assert (
        "triage/actions/kinds/polish_2x.py: ACTION must be an Action whose kind is 'polish_2x'"
        in answer.stderr
    )


def test_one_new_file_is_a_command(answers: dict[str, Any]) -> None:
    """Dispatch, help, the nearest word and the docs know it; no other file was touched."""
    assert answers["command"] == {
        "dispatch": "greet [name]",
        "help": True,
        "nearest": "greet",
        "docs": True,
    }


def test_one_new_file_is_a_kpi(answers: dict[str, Any]) -> None:
    """Report, digest, the setting that names KPIs and the docs know it, in its place; no other file was touched."""
    assert answers["kpi"] == {
        "measured": ["minutes_seen", 0, "fail"],
        "digest": ["Minutes seen", "fail · 0 min (≥ 9) · few"],
        "setting": ["minutes_seen"],
        "docs": True,
        "count": len(KPIS) + 1,
    }


def test_a_source_is_one_folder_and_one_name(answers: dict[str, Any]) -> None:
    """Its folder and its name in ``SYSTEMS``: wiring, settings, their reference and the doctor know it."""
    seen = answers["source"]
    assert isinstance(seen, dict), seen
    assert seen["seen"] == ["http://tides", "ok", "asked at http://tides"]
    assert seen["refused"].startswith("ALMANAC_URL: is no http(s) URL")
    assert seen["docs"]


def test_a_fallback_channel_is_one_folder(answers: dict[str, Any]) -> None:
    """Wiring, settings, their reference, the doctor and what logs must not show know it; no other file was touched."""
    seen = answers["channel"]
    assert isinstance(seen, dict), seen
    assert seen["opened"] == ["pager"]
    assert seen["doctor"] == ["ok", "beeps at http://pager"]
    assert "TRIAGE_FALLBACK_PAGER" in seen["none"]
    assert seen["secret"]
    assert seen["refused"].startswith("TRIAGE_FALLBACK_PAGER: is no http(s) URL")
    assert seen["docs"]
