"""``hbot-triage doctor`` against our own Slack and stand-ins: what is good, what is not, and how to mend it."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis.asyncio
from typer.testing import CliRunner, Result

from bot.command_line.table import app
from bot.doctor.examine import examine
from bot.doctor.report import DependencyReport, printed
from bot.doctor.slack import SCOPES
from bot.settings import Settings, load_settings
from demo.clock import SimClock
from demo.desk.desk import DeskOptions, SimulatedDesk
from demo.servers.alertmanager import AlertmanagerServer
from demo.servers.local_server import Fault, LocalServer
from demo.servers.loki import LokiServer
from demo.servers.prometheus import PrometheusConfig, PrometheusServer
from demo.servers.tsdb import labels_of
from demo.slack import AppConfig, SlackServer
from demo.slack.faults import Fault as SlackFault
from demo.slack.settings import BOT_SCOPES
from tests.servers.process import free_port

pytestmark = pytest.mark.slow

RULES = Path(__file__).parents[2] / "deploy" / "prometheus" / "desk-rules.yml"
SOURCES = ("prometheus", "loki", "alertmanager", "redis", "docker")
NOWHERE = {
    "prometheus": ("PROMETHEUS_URL", "http://127.0.0.1:{port}"),
    "loki": ("LOKI_URL", "http://127.0.0.1:{port}"),
    "alertmanager": ("ALERTMANAGER_URL", "http://127.0.0.1:{port}"),
    "redis": ("REDIS_URL", "redis://:s3cr3t@127.0.0.1:{port}/0"),
    "docker": ("DOCKER_HOST", "tcp://127.0.0.1:{port}"),
    "grafana": ("GRAFANA_URL", "http://127.0.0.1:{port}"),
}


@dataclass
class World:
    """Everything that the doctor asks, and the settings that lead there."""

    servers: Mapping[str, LocalServer]
    environment: Mapping[str, str]
    folder: Path

    async def ask(self, **changes: str) -> dict[str, DependencyReport]:
        """Examine with some settings changed; the answers by their names."""
        settings = load_settings({**self.environment, **changes}, folder=self.folder)
        return {answer.name: answer for answer in await examine(settings)}


@pytest.fixture
async def slack() -> AsyncIterator[SlackServer]:
    """Run our own Slack, with the scopes of the manifest."""
    async with SlackServer() as server:
        yield server


def slack_settings(slack: SlackServer, folder: Path) -> dict[str, str]:
    """Return settings with which only Slack and the store can be asked."""
    return {
        "SLACK_BOT_TOKEN": slack.app.bot_token,
        "SLACK_APP_TOKEN": slack.app.app_token,
        "SLACK_API_URL": slack.api_url,
        "TRIAGE_CHANNEL": "C0TRIAGE01",
        "TRIAGE_DATABASE_URL": f"sqlite:///{folder}/triage.db",
    }


@pytest.fixture
async def world(tmp_path: Path, slack: SlackServer) -> AsyncIterator[World]:
    """Run a desk with all its servers but Grafana."""
    servers: dict[str, LocalServer] = {
        "prometheus": PrometheusServer(PrometheusConfig(rule_files=(RULES,))),
        "loki": LokiServer(),
        "alertmanager": AlertmanagerServer("route: {receiver: triage}\nreceivers: [{name: triage}]"),
    }
    async with AsyncExitStack() as stack:
        for server in servers.values():
            await stack.enter_async_context(server)
        options = DeskOptions(past_hours=0.1, redis="fake")
        desk = await stack.enter_async_context(SimulatedDesk(tmp_path / "desk", SimClock(0), (), options))
        environment = {
            **slack_settings(slack, tmp_path),
            "PROMETHEUS_URL": servers["prometheus"].url,
            "LOKI_URL": servers["loki"].url,
            "ALERTMANAGER_URL": servers["alertmanager"].url,
            "REDIS_URL": desk.redis_url,
            "DOCKER_HOST": desk.docker_url,
        }
        yield World(servers, environment, tmp_path)


async def everything_flows(world: World) -> None:
    """Let the desk's streams hold an entry each."""
    client = redis.asyncio.from_url(world.environment["REDIS_URL"])
    for stream in ("hb.market_data.v1", "hb.audit.v1"):
        await client.xadd(stream, {"payload": "{}"})
    await client.aclose()


async def test_a_desk_in_good_health_is_all_good(world: World) -> None:
    """Each says what was seen of it, and nothing is to be mended but what is not set."""
    prometheus = world.servers["prometheus"]
    assert isinstance(prometheus, PrometheusServer)
    await prometheus.tick()
    everyone_logs(world)
    await everything_flows(world)
    found = await world.ask()
    assert list(found) == [
        "store",
        "slack",
        "socket mode",
        "agent",
        "desk.yaml",
        *SOURCES,
        "grafana",
        "fallback",
    ]
    states = {name: answer.state for name, answer in found.items()}
    assert states == {
        **dict.fromkeys(found, "ok"),
        "agent": "warning",
        "desk.yaml": "not configured",
        "grafana": "not configured",
        "fallback": "not configured",
    }, found
    assert found["slack"].seen.endswith(" as U0TRIAGE01, posts to C0TRIAGE01")
    assert found["socket mode"].seen == "Slack opens connections for the app-level token"
    assert found["loki"].seen == (
        "ready, holds the logs of 3 bots; nothing of 24 h ago: what is usual rests on less (a young desk, or a retention "
        "that is too short)"
    )
    # Where the agent works in this process, it is said plainly what that means.
    assert (
        found["agent"].seen
        == "works in this process, which so holds Docker's socket (root on the host) and the desk's folders"
    )
    assert "alert rules, all healthy" in found["prometheus"].seen
    assert found["store"].seen.endswith("can be written; 0 messages are owed")


def everyone_logs(world: World, *bots: str) -> None:
    """Give Loki a line of each bot."""
    loki = world.servers["loki"]
    assert isinstance(loki, LokiServer)
    for bot in bots or ("bot1", "bot2", "bot3"):
        loki.add({"job": "bot_logs", "bot": bot}, "a line", at=time.time() - 60)


async def test_logs_as_old_as_the_baseline_are_enough(world: World) -> None:
    """Then there is nothing to say of Loki's retention."""
    everyone_logs(world)
    loki = world.servers["loki"]
    assert isinstance(loki, LokiServer)
    loki.add({"job": "bot_logs", "bot": "bot2"}, "a line", at=time.time() - 24 * 3600 + 600)
    answer = (await world.ask())["loki"]
    assert (answer.state, answer.seen) == ("ok", "ready, holds the logs of 3 bots")


async def test_a_bot_whose_logs_loki_does_not_hold_is_named(world: World) -> None:
    """A selector that fits no stream would make every triage see no errors."""
    everyone_logs(world, "bot1", "bot3")
    answer = (await world.ask())["loki"]
    assert (answer.state, answer.seen) == ("warning", "ready, no line in the last hour of bot2")
    assert "triage.bot_log_selector" in answer.mend


async def test_a_prometheus_that_has_just_started_has_no_errors(world: World) -> None:
    """Rules that were not evaluated yet are not ill."""
    answer = (await world.ask())["prometheus"]
    assert answer.state == "ok"
    assert answer.seen.endswith(" not evaluated yet")


@pytest.mark.parametrize("name", NOWHERE)
async def test_a_source_that_is_down_has_failed(name: str, tmp_path: Path, slack: SlackServer) -> None:
    """The mend names the setting; the others are asked all the same; no password is shown."""
    setting, url = NOWHERE[name]
    environment = {**slack_settings(slack, tmp_path), setting: url.format(port=free_port())}
    found = await World({}, environment, tmp_path).ask(GRAFANA_TOKEN="glsa_s3cr3t")
    answer = found.pop(name)
    assert (answer.state, answer.good) == ("failed", False)
    assert answer.seen
    assert answer.mend.startswith(f"check {setting}")
    assert all(other.good for other in found.values())
    assert "s3cr3t" not in printed([answer])


@pytest.mark.parametrize("name", ["prometheus", "loki", "alertmanager"])
@pytest.mark.parametrize("fault", [Fault("status", status=401), Fault("garbage"), Fault("reset")])
async def test_a_source_that_answers_wrongly_has_failed(name: str, fault: Fault, world: World) -> None:
    """Not let in, something else at that address, a broken connection; a 401 asks for the token."""
    world.servers[name].faults.add(fault)
    answer = (await world.ask())[name]
    assert answer.state == "failed", answer
    assert NOWHERE[name][0] in answer.mend
    assert ("token" in answer.mend) == (fault.kind == "status")


async def test_a_prometheus_without_rules_is_warned_of(tmp_path: Path, slack: SlackServer) -> None:
    """It answers, and nobody would ever be alerted."""
    async with PrometheusServer(PrometheusConfig()) as prometheus:
        environment = {**slack_settings(slack, tmp_path), "PROMETHEUS_URL": prometheus.url}
        answer = (await World({}, environment, tmp_path).ask())["prometheus"]
    assert (answer.state, answer.seen) == ("warning", "no alert rules are loaded")
    assert answer.mend == "load deploy/prometheus/desk-rules.yml"


async def test_labels_that_lead_nowhere_and_rules_without_a_playbook_are_named(
    tmp_path: Path, slack: SlackServer
) -> None:
    """A bot that only the series know, one that they do not, and a rule whose alerts get the default triage."""
    rules = tmp_path / "rules.yml"
    rules.write_text(
        "groups: [{name: g, rules: [{alert: Watchdog, expr: vector(1)}, {alert: MoonPhaseWrong, expr: vector(0)},"
        " {alert: BotFrozen, expr: vector(0)}]}]\n",
        encoding="utf-8",
    )
    async with PrometheusServer(PrometheusConfig(rule_files=(rules,))) as prometheus:
        for bot in ("bot1", "bot2", "hummingbot7"):
            series = labels_of({"__name__": "hbot_bot_state", "bot": bot, "state": "running"})
            prometheus.tsdb.append(series, round(prometheus.clock.now() * 1000), 1.0)
        environment = {**slack_settings(slack, tmp_path), "PROMETHEUS_URL": prometheus.url}
        answer = (await World({}, environment, tmp_path).ask())["prometheus"]
    assert answer.state == "warning"
    for words in (
        "1 rule without a playbook of their own: MoonPhaseWrong",
        "series of hummingbot7, which desk.yaml does not know",
        "no series in an hour of bot3",
    ):
        assert words in answer.seen, answer.seen


async def test_bots_without_a_container_are_named(world: World) -> None:
    """The template of desk.yaml does not fit this engine."""
    (world.folder / "desk.yaml").write_text("bots: [{name: bot1}, {name: bot9}]\n", encoding="utf-8")
    answer = (await world.ask(TRIAGE_DESK="desk.yaml"))["docker"]
    assert answer.state == "warning"
    assert answer.seen.endswith("none for bot9")
    assert "compose.container_template" in answer.mend


async def slack_answer(slack: SlackServer, folder: Path, **changes: str) -> DependencyReport:
    """Return what the doctor says of Slack."""
    return (await World({}, slack_settings(slack, folder), folder).ask(**changes))["slack"]


async def test_a_wrong_token_is_said_with_the_setting(slack: SlackServer, tmp_path: Path) -> None:
    """Slack's own word, and where to look; the token is not shown."""
    answer = await slack_answer(slack, tmp_path, SLACK_BOT_TOKEN="xoxb-not-this-one")
    assert answer.state == "failed"
    assert answer.seen == "auth.test: invalid_auth"
    assert "SLACK_BOT_TOKEN" in answer.mend
    assert "not-this-one" not in printed([answer])


async def test_no_token_is_said_without_asking(tmp_path: Path) -> None:
    """The mend is the manifest."""
    found = await World({}, {"TRIAGE_DATABASE_URL": f"sqlite:///{tmp_path}/t.db"}, tmp_path).ask()
    assert (found["slack"].state, found["slack"].seen) == ("failed", "SLACK_BOT_TOKEN is not set")
    assert {found[name].state for name in (*SOURCES, "grafana")} == {"not configured"}
    assert all(f"set {NOWHERE[name][0]}" in found[name].mend for name in SOURCES)


@pytest.mark.parametrize("missing", sorted(SCOPES))
async def test_a_missing_scope_is_named(missing: str, tmp_path: Path) -> None:
    """Before the first button or file that needs it fails."""
    scopes = tuple(scope for scope in BOT_SCOPES if scope != missing)
    async with SlackServer(AppConfig(scopes=scopes)) as slack:
        answer = await slack_answer(slack, tmp_path)
    assert answer.state == "failed"
    assert answer.seen == f"the token lacks the scopes {missing}"
    assert "install it again" in answer.mend


async def test_a_channel_by_name_needs_no_further_scope(slack: SlackServer, tmp_path: Path) -> None:
    """The manifest asks for no channels:read; posting by name works, so this is no fault."""
    answer = await slack_answer(slack, tmp_path, TRIAGE_CHANNEL="#desk-alerts")
    assert answer.state == "ok"
    assert answer.seen.endswith("#desk-alerts, found by name at the first post")


async def test_a_channel_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Where names can be looked up, a typing error is found."""
    async with SlackServer(AppConfig(scopes=(*BOT_SCOPES, "channels:read", "groups:read"))) as slack:
        answer = await slack_answer(slack, tmp_path, TRIAGE_CHANNEL="#desk-alert")
    assert answer.state == "failed"
    assert "no channel '#desk-alert'" in answer.mend


@pytest.mark.parametrize(
    ("channel", "code", "mend"),
    [("C0GENERAL1", "not_in_channel", "/invite"), ("C0NOWHERE1", "channel_not_found", "TRIAGE_CHANNEL")],
)
async def test_a_channel_that_the_bot_is_not_in_is_named(
    channel: str, code: str, mend: str, slack: SlackServer, tmp_path: Path
) -> None:
    """An id proves nothing: it is asked for, before the first incident finds it closed."""
    answer = await slack_answer(slack, tmp_path, TRIAGE_DIGEST_CHANNEL=channel)
    assert (answer.state, answer.seen) == ("failed", f"conversations.history of {channel}: {code}")
    assert mend in answer.mend


async def test_no_channel_is_a_fault(slack: SlackServer, tmp_path: Path) -> None:
    """The service does not start without one."""
    answer = await slack_answer(slack, tmp_path, TRIAGE_CHANNEL="")
    assert answer.state == "failed"
    assert "nowhere to post" in answer.seen
    assert "set TRIAGE_CHANNEL" in answer.mend


async def socket_answer(slack: SlackServer, folder: Path, **changes: str) -> DependencyReport:
    """Return what the doctor says of Socket Mode; the bot token is a good one."""
    found = await World({}, slack_settings(slack, folder), folder).ask(**changes)
    assert found["slack"].good
    return found["socket mode"]


async def test_a_good_app_token_takes_no_connection_from_the_service(
    slack: SlackServer, tmp_path: Path
) -> None:
    """Slack is asked for an address only: whoever connects is sent clicks."""
    answer = await socket_answer(slack, tmp_path)
    assert answer.state == "ok"
    assert [call.result for call in slack.calls.of("apps.connections.open")] == ["ok"]
    assert slack.sockets.opened == 0


async def test_a_wrong_app_token_is_said_with_the_setting(slack: SlackServer, tmp_path: Path) -> None:
    """The bot token alone would post, and no click would ever arrive."""
    answer = await socket_answer(slack, tmp_path, SLACK_APP_TOKEN="xapp-1-not-this-one")
    assert (answer.state, answer.seen) == ("failed", "apps.connections.open: invalid_auth")
    assert "SLACK_APP_TOKEN is not valid" in answer.mend
    assert "connections:write" in answer.mend
    assert "not-this-one" not in printed([answer])


@pytest.mark.parametrize(
    ("code", "mend"),
    [("token_revoked", "was revoked"), ("token_expired", "has expired"), ("account_inactive", "install")],
)
async def test_an_app_token_that_was_taken_back_is_said(
    code: str, mend: str, slack: SlackServer, tmp_path: Path
) -> None:
    """It was good once; Slack's word and the way to a new one."""
    slack.revoke_token(slack.app.app_token, code)
    answer = await socket_answer(slack, tmp_path)
    assert (answer.state, answer.seen) == ("failed", f"apps.connections.open: {code}")
    assert mend in answer.mend


async def test_an_app_token_without_its_scope_is_said(tmp_path: Path) -> None:
    """An app-level token has other scopes than the bot's."""
    async with SlackServer(AppConfig(app_scopes=("authorizations:read",))) as slack:
        answer = await socket_answer(slack, tmp_path)
    assert answer.state == "failed"
    assert answer.seen == "the app-level token lacks the scope connections:write"
    assert "SLACK_APP_TOKEN" in answer.mend


async def test_a_slack_that_does_not_answer_blames_no_token(slack: SlackServer, tmp_path: Path) -> None:
    """The network, or Slack itself."""
    slack.faults.add(SlackFault.http("apps.connections.open", 503))
    answer = await socket_answer(slack, tmp_path)
    assert answer.state == "failed"
    assert "SLACK_APP_TOKEN" not in answer.mend
    assert "SLACK_API_URL" in answer.mend


async def test_http_mode_needs_no_app_token(slack: SlackServer, tmp_path: Path) -> None:
    """With a signing secret it is a choice; without one nothing would arrive."""
    chosen = await socket_answer(slack, tmp_path, SLACK_APP_TOKEN="", SLACK_SIGNING_SECRET="shh")
    assert (chosen.state, chosen.good) == ("not configured", True)
    assert "/slack/events" in chosen.seen
    forgotten = await socket_answer(slack, tmp_path, SLACK_APP_TOKEN="")
    assert (forgotten.state, forgotten.good) == ("failed", False)
    assert "SLACK_APP_TOKEN" in forgotten.mend


async def test_a_store_that_cannot_be_written_has_failed(slack: SlackServer, tmp_path: Path) -> None:
    """A file where the folder should be."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    environment = slack_settings(slack, tmp_path)
    url = f"sqlite:///{tmp_path}/file/triage.db"
    answer = (await World({}, environment, tmp_path).ask(TRIAGE_DATABASE_URL=url))["store"]
    assert answer.state == "failed"
    assert "TRIAGE_DATABASE_URL" in answer.mend


def run(folder: Path, environment: Mapping[str, str], *arguments: str) -> Result:
    """Run the command with these settings and no others."""
    unset: dict[str, str | None] = {name.upper(): None for name in Settings.model_fields}
    path = folder / ".env"
    path.write_text("".join(f"{name}={value}\n" for name, value in environment.items()), encoding="utf-8")
    return CliRunner(env=unset).invoke(app, ["doctor", *arguments])


async def test_the_exit_code_is_the_verdict(
    slack: SlackServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """0 where nothing failed (what is not configured is no fault), 1 where something did; as text and as JSON."""
    monkeypatch.chdir(tmp_path)
    good = slack_settings(slack, tmp_path)
    well = await asyncio.to_thread(run, tmp_path, good, "--json")
    assert well.exit_code == 0, well.output
    answers = json.loads(well.stdout)
    assert all(answer.keys() == {"name", "state", "seen", "mend"} for answer in answers)
    ill = await asyncio.to_thread(run, tmp_path, {**good, "SLACK_BOT_TOKEN": "xoxb-wrong"})
    assert ill.exit_code == 1
    lines = ill.stdout.splitlines()
    failed = next(index for index, line in enumerate(lines) if line.startswith("failed"))
    assert lines[failed].split()[1] == "slack"
    assert lines[failed + 1].strip().startswith("→ ")
