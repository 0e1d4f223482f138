"""init: two desks are read right and need no edit; run again it changes nothing unasked; what is odd is a doubt."""

from collections.abc import Callable
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

from bot.command_line.table import app
from bot.commands.check_config import check_config
from bot.commands.init import InitResult, prepare, write
from bot.init.files import Asked
from bot.init.running_desk import LiveDesk
from bot.settings import load_settings
from tests.bot.init import desks
from tests.fakes.sources import container
from triage.desk import Desk
from triage.errors import SettingError
from triage.incidents.subjects import subject_of
from triage.model import Severity

SHIPPED = Path(__file__).parents[3] / "deploy" / "docker-compose.yml"
ASKED = Asked("xoxb-1-2-abc", "xapp-1-abc", "#desk-alerts", ("U0ANA00001",))


def made(root: Path, asked: Asked = ASKED) -> tuple[InitResult, Desk]:
    """Run init on a desk and read back what it wrote, as the service does."""
    out = root / "hbot-triage"
    result = prepare(root, out, asked)
    for change in result.changes:
        write(change)
    return result, load_settings({}, folder=out).desk


def test_the_desk_of_the_runbooks_is_what_is_built_in(tmp_path: Path) -> None:
    """Names, template, profiles, the order in which services stop, folders."""
    _, desk = made(desks.first(tmp_path / "desk"))
    assert [bot.name for bot in desk.bots] == ["bot1", "bot2", "bot3"]
    assert [bot.variant for bot in desk.bots] == ["a", "d", "a"]
    assert desk.compose.project == "hbot"
    assert desk.compose.container_template == "hbot-{service}"
    assert desk.compose.profiles == ("multi", "external")
    assert desk.compose.external_services == ("risk-service", "signal-service", "redis")
    assert set(desk.compose.monitoring_services) >= {"prometheus", "loki", "bot-metrics-exporter"}
    assert desk.container_of("bot2") == "hbot-bot2"
    assert desk.paths.compose == tmp_path / "desk" / "compose"
    assert desk.paths.env == tmp_path / "desk" / "env" / ".env"
    assert desk.roles.operator.users == frozenset({"U0ANA00001"})


def test_the_later_layout_needs_no_edit(tmp_path: Path) -> None:
    """Another project, plain container names, seven bots, merged YAML, a Redis with a password."""
    root = desks.later(tmp_path / "desk")
    _, desk = made(root)
    assert [bot.name for bot in desk.bots] == [f"bot{number}" for number in range(1, 8)]
    assert desk.compose.project == "kzay-capital"
    assert desk.compose.container_template == "{service}"
    assert desk.container_of("bot7") == "bot7"
    assert next(bot.variant for bot in desk.bots if bot.name == "bot5") == "c"
    assert desk.compose.external_services == ("coordination-service", "redis")
    settings = load_settings({}, folder=root / "hbot-triage")
    assert settings.redis_url.get_secret_value() == "redis://:hush@redis:6379/0"
    assert settings.prometheus_url == "http://prometheus:9090"
    assert settings.grafana_url == "http://grafana:3000"
    assert settings.loki_url == ""


def test_a_third_layout_needs_no_edit(tmp_path: Path) -> None:
    """The bots' folder by what is mounted, the env file wherever it is; what is written lies at the host's paths."""
    root = desks.third(tmp_path / "desk")
    result, desk = made(root)
    assert [(bot.name, bot.variant) for bot in desk.bots] == [
        ("mm-btc", "b"), ("mm-eth", "a"), ("arb-sol", "a"), ("grid-xrp", "a"),
    ]  # fmt: skip
    assert (desk.compose.project, desk.compose.external_profile) == ("quokka", "signals")
    assert desk.container_of("arb-sol") == "quokka_arb-sol"
    assert desk.paths.data == root / "bots"
    assert desk.paths.env == root / "conf" / ".env"
    assert desk.triage.expected_rules == ("BotHardStopActive",)
    assert (
        load_settings({}, folder=root / "hbot-triage").redis_url.get_secret_value()
        == "redis://:hush@bus:6379/0"
    )
    assert not any("doubt" in note for note in result.notes)
    written = (root / "hbot-triage" / "docker-compose.hbot-triage.yml").read_text(encoding="utf-8")
    assert f"{root}/bots:{root}/bots:ro" in written
    assert f'data: "{root}/bots"' in (root / "hbot-triage" / "desk.yaml").read_text(encoding="utf-8")
    assert not [change for change in prepare(root, root / "hbot-triage", ASKED).changes if change.differs]


def test_a_folder_that_is_not_there_is_a_guess(tmp_path: Path) -> None:
    """Whoever reads desk.yaml sees it."""
    root = desks.third(tmp_path / "desk")
    (root / "backups" / "keep").unlink()
    (root / "backups").rmdir()
    made(root)
    assert "# guess: not there yet" in (root / "hbot-triage" / "desk.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("layout", [desks.first, desks.later])
def test_what_is_written_passes_check_config(layout: object, tmp_path: Path) -> None:
    """No fault, nothing missing, no warning."""
    root = desks.first(tmp_path / "desk") if layout is desks.first else desks.later(tmp_path / "desk")
    made(root)
    assert check_config({}, root / "hbot-triage").problems == ()


def test_each_guess_is_marked_and_unknown_rules_are_named(tmp_path: Path) -> None:
    """Whoever reads desk.yaml sees what was seen and what was not."""
    root = desks.first(tmp_path / "desk")
    made(root)
    text = (root / "hbot-triage" / "desk.yaml").read_text(encoding="utf-8")
    assert "# container_name in docker-compose.yml" in text
    assert "# guess: " in text
    assert "MoonPhaseWrong" in text
    assert "#  BotHardStopActive" not in text
    assert text.startswith("# yaml-language-server: $schema=desk.schema.json\n")


def test_the_compose_file_joins_the_desks_networks(tmp_path: Path) -> None:
    """By the names they have for the engine; the bot has no socket, the agent no network."""
    root = desks.first(tmp_path / "desk")
    made(root)
    text = (root / "hbot-triage" / "docker-compose.hbot-triage.yml").read_text(encoding="utf-8")
    data = YAML(typ="safe").load(text)
    assert data["networks"]["monitoring"] == {"name": "hbot-monitoring", "external": True}
    bot, agent = data["services"]["hbot-triage"], data["services"]["agent"]
    assert not any("docker.sock" in volume for volume in bot["volumes"])
    assert agent["network_mode"] == "none"


def test_the_compose_file_separates_as_the_shipped_one_does(tmp_path: Path) -> None:
    """The same two services with the same rights; only names, ids and folders are the desk's own."""
    root = desks.first(tmp_path / "desk")
    made(root)
    text = (root / "hbot-triage" / "docker-compose.hbot-triage.yml").read_text(encoding="utf-8")
    mine, shipped = (YAML(typ="safe").load(source) for source in (text, SHIPPED.read_text(encoding="utf-8")))
    for name in ("hbot-triage", "agent"):
        ours, theirs = mine["services"][name], shipped["services"][name]
        for key in ("read_only", "cap_drop", "security_opt", "tmpfs", "mem_limit", "network_mode", "command"):
            assert ours.get(key) == theirs.get(key), (name, key)
        elsewhere = {
            "SLACK_SIGNING_SECRET",
            "TRIAGE_AUDIT_KEY_FILE",
        }  # the latter's key is in the .env that init writes
        assert set(theirs["environment"]) - set(ours["environment"]) <= elsewhere
        assert len(ours["volumes"]) == len(theirs["volumes"])


def test_run_again_it_changes_nothing(tmp_path: Path) -> None:
    """The token that was made stays, and so does what a person filled in."""
    root = desks.first(tmp_path / "desk")
    made(root)
    env = root / "hbot-triage" / ".env"
    env.write_text(env.read_text(encoding="utf-8") + "TRIAGE_LOG_FORMAT=json\n", encoding="utf-8")
    again = prepare(root, root / "hbot-triage", Asked())
    after = next(change.after for change in again.changes if change.path == env)
    assert "TRIAGE_LOG_FORMAT=json" in after
    assert "SLACK_BOT_TOKEN=xoxb-1-2-abc" in after
    assert next(line for line in after.splitlines() if "WEBHOOK_TOKEN" in line) in env.read_text(
        encoding="utf-8"
    )


def test_a_first_start_gets_a_key_for_the_audit_trail_and_a_later_one_never(tmp_path: Path) -> None:
    """The key stays what it is; where lines were written without one, none is made: they would not verify."""
    root = desks.first(tmp_path / "desk")
    made(root)
    env = root / "hbot-triage" / ".env"
    [key] = [line for line in env.read_text(encoding="utf-8").splitlines() if "TRIAGE_AUDIT_KEY" in line]
    assert len(key.partition("=")[2]) == 64

    def again() -> str:
        changes = prepare(root, root / "hbot-triage", Asked()).changes
        return next(change.after for change in changes if change.path == env)

    assert key in again().splitlines()
    env.write_text(env.read_text(encoding="utf-8").replace(f"{key}\n", ""), encoding="utf-8")
    assert "TRIAGE_AUDIT_KEY" not in again()


def test_a_changed_desk_shows_a_diff_and_writes_only_when_told(tmp_path: Path) -> None:
    """The command line: first run writes, the next shows what differs, --write takes it; no secret is printed."""
    root = desks.first(tmp_path / "desk")
    out, runner = root / "hbot-triage", CliRunner()
    arguments = ["init", "--no-live", "--root", str(root), "--out", str(out)]
    first = runner.invoke(app, arguments)
    assert first.exit_code == 0, first.output
    assert "written" in first.output
    before = (out / "desk.yaml").read_text(encoding="utf-8")
    compose = root / "compose" / "docker-compose.yml"
    compose.write_text(compose.read_text(encoding="utf-8").replace("bot3", "bot4"), encoding="utf-8")
    again = runner.invoke(app, arguments)
    assert "-  - {name: bot3}" in again.output
    assert "+  - {name: bot4}" in again.output
    assert "1 files differ" in again.output.replace("file differ", "files differ")
    assert (out / "desk.yaml").read_text(encoding="utf-8") == before
    token = load_settings({}, folder=out).triage_webhook_token.get_secret_value()
    assert token not in again.output + first.output
    runner.invoke(app, [*arguments, "--write"])
    assert "bot4" in (out / "desk.yaml").read_text(encoding="utf-8")
    assert load_settings({}, folder=out).triage_webhook_token.get_secret_value() == token


def test_what_holds_secrets_is_for_its_owner_alone(tmp_path: Path) -> None:
    """The tokens in .env are nobody else's."""
    root = desks.first(tmp_path / "desk")
    made(root)
    assert (root / "hbot-triage" / ".env").stat().st_mode & 0o077 == 0


def test_running_containers_name_the_containers(tmp_path: Path) -> None:
    """A file without container_name: what runs tells the truth, else Compose's own form is a marked guess."""
    compose = (
        "services:\n  bot1: {image: 'hummingbot/hummingbot:version-2.11.0'}\n  redis: {image: 'redis:7'}\n"
    )
    root = desks.lay_out(tmp_path / "desk", compose, "COMPOSE_PROJECT_NAME=alpha\n", {"bot1": "a"})
    result = prepare(root, root / "out", Asked(), {"bot1": "alpha_bot1_1", "redis": "alpha_redis_1"})
    desk_yaml = next(change.after for change in result.changes if change.path.name == "desk.yaml")
    assert 'container_template: "alpha_{service}_1"' in desk_yaml
    guessed = prepare(root, root / "out", Asked())
    desk_yaml = next(change.after for change in guessed.changes if change.path.name == "desk.yaml")
    assert 'container_template: "alpha-{service}-1"' in desk_yaml
    assert "guess: Compose names containers so" in desk_yaml


def over(root: Path, env: str = "", name: str = "docker-compose.limits.yml") -> tuple[Path, ...]:
    """Lay a second compose file beside the first: a bot more, a profile more."""
    (root / "compose" / name).write_text(
        "services:\n  bot8: {image: 'hummingbot/hummingbot:version-2.11.0', container_name: hbot-bot8}\n"
        "  redis: {profiles: [night]}\n",
        encoding="utf-8",
    )
    file = root / "env" / ".env"
    file.write_text(f"{file.read_text(encoding='utf-8')}{env}\n", encoding="utf-8")
    return (root / "compose" / "docker-compose.yml", root / "compose" / name)


def test_a_desk_of_several_files_needs_no_edit(tmp_path: Path) -> None:
    """Named by COMPOSE_FILE: all are read, and desk.yaml names them in their order."""
    root = desks.first(tmp_path / "desk")
    over(root, "COMPOSE_FILE=docker-compose.yml:docker-compose.limits.yml")
    _, desk = made(root)
    assert desk.compose.files == ("docker-compose.yml", "docker-compose.limits.yml")
    assert [bot.name for bot in desk.bots] == ["bot1", "bot2", "bot3", "bot8"]
    assert desk.compose.profiles == ("multi", "external", "night")


def test_the_files_that_the_containers_were_made_from_are_the_desk_s(tmp_path: Path) -> None:
    """Called with -f: only their labels tell."""
    root = desks.first(tmp_path / "desk")
    names = ",".join(str(file) for file in over(root))
    labels = {
        "com.docker.compose.project": "hbot",
        "com.docker.compose.service": "bot1",
        "com.docker.compose.project.config_files": names,
    }
    result = prepare(root, root / "out", Asked(), live=LiveDesk((container("hbot-bot1", labels=labels),)))
    desk_yaml = next(change.after for change in result.changes if change.path.name == "desk.yaml")
    assert "files: [docker-compose.yml, docker-compose.limits.yml]" in desk_yaml


def test_an_override_beside_the_default_file_is_read_and_not_named(tmp_path: Path) -> None:
    """Compose takes it by itself."""
    root = desks.first(tmp_path / "desk")
    over(root, name="docker-compose.override.yml")
    _, desk = made(root)
    assert desk.compose.named_files == ()
    assert "bot8" in [bot.name for bot in desk.bots]


def test_a_folder_without_a_compose_file_is_refused_with_the_mend(tmp_path: Path) -> None:
    """It says where it looked."""
    with pytest.raises(SettingError, match="has no compose file in compose/"):
        prepare(tmp_path, tmp_path / "out", Asked())


def test_a_folder_that_is_not_there_is_refused_with_the_mend(tmp_path: Path) -> None:
    """A misspelt --root is a sentence, no traceback."""
    with pytest.raises(SettingError, match="name the desk's folder"):
        prepare(tmp_path / "desk", tmp_path / "out", Asked())


def test_a_folder_that_may_not_be_looked_into_holds_no_env_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database's folder beside the desk is its own user's; the env file in another folder is found all the same."""
    root = desks.first(tmp_path / "desk")
    (root / "env").rename(root / "settings")
    (root / "postgres").mkdir()
    is_file = Path.is_file

    def refused(path: Path) -> bool:
        if path.parent.name == "postgres":
            raise PermissionError(13, "Permission denied", str(path))
        return is_file(path)

    monkeypatch.setattr(Path, "is_file", refused)
    _, desk = made(root)
    assert desk.paths.env is not None
    assert desk.paths.env.parent == root / "settings"


@pytest.mark.parametrize("text", ["services: [", "- a\n- b\n", "services:\n  bot1:\n"])
def test_a_broken_file_is_one_sentence(text: str, tmp_path: Path) -> None:
    """Half-written or of another shape: a sentence, or a desk without bots and a note."""
    root = desks.lay_out(tmp_path / "desk", text, "A=1\n", {})
    try:
        result = prepare(root, root / "out", Asked())
    except SettingError as error:
        assert "cannot be read as a compose file" in str(error)  # noqa: PT017 - either way is right
    else:
        assert any("no bot was recognised" in note for note in result.notes)


def test_a_desk_of_many_files_and_odd_names_is_read_as_compose_reads_it(tmp_path: Path) -> None:
    """include, extends, images in place of names, Redis under another name with a password; the gaps are doubts."""
    root = desks.odd(tmp_path / "desk")
    result, desk = made(root)
    assert [(bot.name, bot.variant) for bot in desk.bots] == [("alpha", "b"), ("mm-eth", "a")]
    assert desk.compose.project == "nightdesk"
    assert desk.container_of("mm-eth") == "nightdesk_mm-eth"
    assert desk.compose.external_profile == "bus"
    assert desk.compose.external_services == ("signals", "cache")
    assert set(desk.compose.monitoring_services) == {"prom", "am", "logs"}
    settings = load_settings({}, folder=root / "hbot-triage")
    assert settings.prometheus_url == "http://prom:9090"
    assert settings.alertmanager_url == "http://am:9093"
    assert settings.loki_url == "http://logs:3100"
    assert settings.redis_url.get_secret_value() == "redis://:p%20w%231@cache:6379/0"
    notes = "\n".join(result.notes)
    assert "more.yml, which compose.yaml includes, was not read" in notes
    assert "ghost extends x, which was not found" in notes
    assert not [
        change.path.name for change in prepare(root, root / "hbot-triage", ASKED).changes if change.differs
    ]


@pytest.mark.parametrize("layout", [desks.first, desks.later, desks.odd])
def test_no_layout_leaves_a_file_that_check_config_refuses(
    layout: Callable[[Path], Path], tmp_path: Path
) -> None:
    """Also where no bot was found."""
    root = layout(tmp_path / "desk")
    made(root)
    assert check_config({}, root / "hbot-triage").problems == ()


def test_what_a_person_wrote_stays_when_init_writes_anew(tmp_path: Path) -> None:
    """Operators, limits, schedules, playbooks: word for word, with their comments; what init sees is made anew."""
    root = desks.first(tmp_path / "desk")
    made(root)
    file = root / "hbot-triage" / "desk.yaml"
    own = "# our own limits\nkpis:\n  turnover_x_max: 4.5  # agreed in May\n\nschedules: {timezone: Europe/Berlin}\n"
    text = file.read_text(encoding="utf-8").replace(
        "playbooks: {}", "playbooks:\n  MoonPhaseWrong: {severity: Sev-3}"
    )
    file.write_text(text.replace("project: hbot  ", "project: other  ") + own, encoding="utf-8")
    _, desk = made(root, Asked())
    after = file.read_text(encoding="utf-8")
    assert own in after
    assert desk.roles.operator.users == frozenset({"U0ANA00001"})
    assert desk.playbooks["MoonPhaseWrong"].severity is Severity.SEV3
    assert desk.compose.project == "hbot"
    assert not [change for change in prepare(root, root / "hbot-triage", Asked()).changes if change.differs]


def test_of_two_redis_the_one_that_others_need_is_the_desk_s(tmp_path: Path) -> None:
    """Twelve bots in a folder of another name: what an alert of Redis is about follows from it."""
    root = desks.two_redis(tmp_path / "desk")
    _, desk = made(root)
    assert len(desk.bots) == 12
    assert (desk.compose.project, desk.compose.profiles) == ("meridian", ("wide",))
    assert (desk.redis_container, desk.paths.data) == ("bus", root / "state")
    settings = load_settings({}, folder=root / "hbot-triage")
    assert settings.redis_url.get_secret_value() == "redis://:s3cr%23t@bus:6380/0"
    for instance, about in {
        "bus:6380": "bus",
        "redis://bus:6380": "bus",
        "redis-exporter:9121": "bus",
        "redis://10.0.0.4:6379": "bus",
        "redis-far:6379": "redis-far:6379",
        "redis://cache:6379": "redis://cache:6379",
    }.items():
        assert subject_of({"alertname": "RedisDown", "instance": instance}, desk).name == about
    (root / "two").mkdir()
    (root / "two" / "compose.yml").write_text("services: {}\n")
    with pytest.raises(SettingError, match=r"several compose files \(stack/compose.yaml, two/compose.yml\)"):
        prepare(root, root / "out", ASKED)
