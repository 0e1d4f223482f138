"""Settings: where they come from, which wins, and the one line that each wrong one gets."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from bot.settings import load_desk, load_settings
from triage.desk import Desk
from triage.errors import SettingError

GOOD = {
    "SLACK_BOT_TOKEN": "xoxb-bot-s3cr3t",
    "SLACK_APP_TOKEN": "xapp-app-s3cr3t",
    "TRIAGE_CHANNEL": "#desk-alerts",
    "TRIAGE_WEBHOOK_TOKEN": "hook-s3cr3t",
}


def problem(environment: Mapping[str, str], folder: Path) -> str:
    """Return the one line that wrong settings give."""
    with pytest.raises(SettingError) as caught:
        load_settings(environment, folder=folder).ready_to_run()
    text = str(caught.value)
    assert "\n" not in text
    assert caught.value.__cause__ is None or "s3cr3t" not in str(caught.value.__cause__)
    return text


def desk_problem(text: str, folder: Path) -> str:
    """Return the one line that a wrong desk.yaml gives."""
    (folder / "desk.yaml").write_text(text, encoding="utf-8")
    line = problem({**GOOD, "TRIAGE_DESK": "desk.yaml"}, folder)
    return line.removeprefix(f"TRIAGE_DESK: {folder / 'desk.yaml'}").removeprefix(": ")


def test_nothing_set_gives_the_defaults_of_the_contract(tmp_path: Path) -> None:
    """No file and no variable: the local store and address, Slack itself, the desk of the runbooks."""
    read = load_settings({}, folder=tmp_path)
    assert read.triage_database_url.get_secret_value() == "sqlite:///var/triage.db"
    assert read.address == ("127.0.0.1", 8085)
    assert read.slack_api_url == "https://slack.com/api/"
    assert [bot.name for bot in read.desk.bots] == ["bot1", "bot2", "bot3"]
    assert read.secrets == ("sqlite:///var/triage.db",)


def test_the_environment_comes_before_the_file(tmp_path: Path) -> None:
    """A variable wins over .env; what only .env has still counts."""
    (tmp_path / ".env").write_text("TRIAGE_CHANNEL=from-file\nLOKI_TENANT=desk # comment\n", encoding="utf-8")
    read = load_settings({"TRIAGE_CHANNEL": "from-environment"}, folder=tmp_path)
    assert (read.triage_channel, read.loki_tenant) == ("from-environment", "desk")
    assert read.digest_channel == "from-environment"


def test_a_dotenv_that_is_no_text_is_named(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 give a line with the file's name, not a traceback."""
    (tmp_path / ".env").write_bytes(b"TRIAGE_CHANNEL=\xff\n")
    assert problem({}, tmp_path) == f"{tmp_path}/.env: cannot be read: it is not UTF-8; save it as UTF-8"


def test_a_dotenv_that_is_a_folder_is_named(tmp_path: Path) -> None:
    """Docker makes one where it is told to mount a file that is not there: every setting would be missing."""
    (tmp_path / ".env").mkdir()
    assert (
        problem({}, tmp_path) == f"{tmp_path}/.env: cannot be read: it is a folder; put the file in its place"
    )


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    """NAME_FILE is read, without the line end that editors leave."""
    (tmp_path / "token").write_text("xoxb-from-a-file\n", encoding="utf-8")
    read = load_settings({"SLACK_BOT_TOKEN_FILE": str(tmp_path / "token")}, folder=tmp_path)
    assert read.slack_bot_token.get_secret_value() == "xoxb-from-a-file"
    assert "xoxb-from-a-file" in read.secrets


def test_a_secret_given_twice_is_refused(tmp_path: Path) -> None:
    """Nobody should have to guess which of two tokens is in use."""
    (tmp_path / "token").write_text("hook-s3cr3t", encoding="utf-8")
    both = {**GOOD, "TRIAGE_WEBHOOK_TOKEN_FILE": str(tmp_path / "token")}
    assert problem(both, tmp_path) == (
        "TRIAGE_WEBHOOK_TOKEN: TRIAGE_WEBHOOK_TOKEN_FILE is set too; keep one of them"
    )


def test_a_secret_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The setting and the path stand in the line."""
    line = problem({"REDIS_URL_FILE": str(tmp_path / "none")}, tmp_path)
    assert line.startswith(f"REDIS_URL_FILE: {tmp_path}/none cannot be read")


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("PROMETHEUS_URL", "prometheus:9090", "write http://host:port"),
        ("LOKI_URL", "http://", "is no http(s) URL"),
        ("ALERTMANAGER_URL", "ftp://s3cr3t@am", "is no http(s) URL"),
        ("GRAFANA_URL", "http://gra fana", "is no http(s) URL"),
        ("SLACK_API_URL", "slack.com", "is no http(s) URL"),
        ("TRIAGE_HEARTBEAT_URL", "off", "is no http(s) URL"),
        ("SLACK_BOT_TOKEN", "xoxp-s3cr3t", "does not begin with xoxb-; take the Bot User OAuth Token"),
        ("SLACK_APP_TOKEN", "xoxb-s3cr3t", "does not begin with xapp-; make an app-level token"),
        ("TRIAGE_LISTEN", "8085", "write HOST:PORT"),
        ("TRIAGE_LISTEN", "127.0.0.1:99999", "write HOST:PORT"),
        ("TRIAGE_LISTEN", "127.0.0.1:http", "write HOST:PORT"),
        ("REDIS_URL", "desk:s3cr3t@redis:6379", "write redis://:password@host:6379/0"),
        ("REDIS_URL", "redis://:s3cr3t/x@redis:6379", "must be %-encoded"),
        ("REDIS_URL", "rediss://:s3cr3t@redis:6379/desk", "the database is a number"),
        ("REDIS_URL", "redis+sentinel://:s3cr3t@a,b", "the master's name is missing"),
        ("REDIS_URL", "redis+sentinel://a/desk?sentinel_pasword=s3cr3t", "known: sentinel_password"),
        ("DOCKER_HOST", "/var/run/docker.sock", "write unix:///var/run/docker.sock"),
        ("TRIAGE_DATABASE_URL", "mysql://desk:s3cr3t@host/db", "write sqlite:///var/triage.db"),
        ("TRIAGE_DATABASE_URL", "postgresql://desk:s3cr3t@host:port/db", "write sqlite:///var/triage.db"),
        ("TRIAGE_DATABASE_URL", "s3cr3t", "write sqlite:///var/triage.db"),
        ("TRIAGE_WEBHOOK_AUTH", "none", "'on' or 'off'"),
        ("TRIAGE_LOG_LEVEL", "LOUD", "'DEBUG', 'INFO'"),
        ("TRIAGE_LOG_FORMAT", "xml", "'text' or 'json'"),
    ],
)
def test_a_wrong_setting_gets_one_line(name: str, value: str, says: str, tmp_path: Path) -> None:
    """The line names the setting, the problem and the mend, and never repeats a secret."""
    line = problem({**GOOD, name: value}, tmp_path)
    assert line.startswith(f"{name}: ")
    assert says in line
    assert "s3cr3t" not in line


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////var/lib/a desk/triage.db",
        "postgresql://host/name",
        "postgresql+psycopg://desk:s3/cr3t@[::1]:5432/name?sslmode=require",
        "postgresql://desk@/name?host=/run/postgresql",
    ],
)
def test_every_form_of_a_database_url_is_taken(url: str, tmp_path: Path) -> None:
    """A path with a space, a server by name or address, a socket's folder."""
    read = load_settings({"TRIAGE_DATABASE_URL": url}, folder=tmp_path)
    assert read.triage_database_url.get_secret_value() == url


def test_several_wrong_settings_are_counted(tmp_path: Path) -> None:
    """One line all the same: the first, and how many more there are."""
    line = problem({**GOOD, "LOKI_URL": "loki", "DOCKER_HOST": "docker"}, tmp_path)
    assert line.startswith("LOKI_URL: ")
    assert line.endswith("(and 1 more)")


def test_an_open_webhook_with_a_token_is_a_contradiction(tmp_path: Path) -> None:
    """Who set a token would not expect that anybody can post."""
    line = problem({**GOOD, "TRIAGE_WEBHOOK_AUTH": "off"}, tmp_path)
    assert line == "TRIAGE_WEBHOOK_AUTH: it is off and TRIAGE_WEBHOOK_TOKEN is set; keep one of them"


@pytest.mark.parametrize("name", sorted(GOOD))
def test_the_service_does_not_start_without_what_it_needs(name: str, tmp_path: Path) -> None:
    """Each of the four is asked for by its name, with where to take it from."""
    line = problem({**GOOD, name: ""}, tmp_path)
    assert line.startswith(f"{name} is not set: ")


def test_http_mode_needs_no_app_token(tmp_path: Path) -> None:
    """A signing secret in place of the app token, and an open webhook where that is said, are enough."""
    given = {**GOOD, "SLACK_APP_TOKEN": "", "SLACK_SIGNING_SECRET": "sign-s3cr3t"}
    given = {**given, "TRIAGE_WEBHOOK_TOKEN": "", "TRIAGE_WEBHOOK_AUTH": "off"}
    ready = load_settings(given, folder=tmp_path).ready_to_run()
    assert set(ready.secrets) >= {"xoxb-bot-s3cr3t", "sign-s3cr3t"}


def test_secrets_are_not_in_the_settings_printed_form(tmp_path: Path) -> None:
    """A log line or a traceback that shows the settings shows no secret."""
    given = {**GOOD, "REDIS_URL": "redis://:s3cr3t@redis:6379/0", "GRAFANA_TOKEN": "graf-s3cr3t"}
    read = load_settings(given, folder=tmp_path)
    assert "s3cr3t" not in f"{read!r} {read}"


def test_relative_paths_are_taken_from_the_desk_file(tmp_path: Path) -> None:
    """desk.yaml may live anywhere; without one the paths start where the process stands."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "desk.yaml").write_text("paths: {data: ../bots, env: /abs/.env}\n", encoding="utf-8")
    paths = load_desk("etc/desk.yaml", tmp_path).paths
    assert (paths.data, paths.env) == (tmp_path / "bots", Path("/abs/.env"))
    assert load_desk("", tmp_path / "etc").paths.data == tmp_path / "data"


def test_an_empty_desk_file_is_the_default_desk(tmp_path: Path) -> None:
    """Nothing but comments in it: every key has its default."""
    (tmp_path / "desk.yaml").write_text("# nothing yet\n", encoding="utf-8")
    read = load_desk("desk.yaml", tmp_path)
    assert read.model_dump(exclude={"paths"}) == Desk().model_dump(exclude={"paths"})


def test_a_missing_desk_file_says_what_to_write_it_from(tmp_path: Path) -> None:
    """The path is there in full, and the example."""
    line = problem({**GOOD, "TRIAGE_DESK": "etc/desk.yaml"}, tmp_path)
    assert line == (
        f"TRIAGE_DESK: there is no file {tmp_path}/etc/desk.yaml: write one from deploy/desk.example.yaml"
    )


def test_a_folder_in_place_of_the_desk_file_is_named(tmp_path: Path) -> None:
    """Not a traceback of the operating system's."""
    assert "cannot be read" in problem({**GOOD, "TRIAGE_DESK": "."}, tmp_path)


@pytest.mark.parametrize(
    ("text", "where", "says"),
    [
        ("bots: [", "is no YAML", "line 1"),
        ("name: a\nname: b\n", "is no YAML", "duplicate key"),
        ("- a\n- b\n", "", "holds no keys"),
        ("botz: []\n", "botz: ", "look for a typing error in deploy/desk.example.yaml"),
        ("streams: {grup: x}\n", "streams.grup: ", "look for a typing error"),
        ("kpis: {turnover_max: 2}\n", "kpis.turnover_max: ", "look for a typing error"),
        ("kpis: {turnover_x_max: -1}\n", "kpis.turnover_x_max: ", "give a number of at least 0"),
        ("kpis: {base_pct: [0.9, 0.1]}\n", "kpis.base_pct: ", "give the lower end first"),
        ("schedules: {digest: every day}\n", "schedules.digest: ", "write for instance '5 0 * * *'"),
        ("schedules: {timezone: Mars/Base}\n", "schedules.timezone: ", "such as Europe/Berlin"),
        ("streams: {group: hb_group_v1}\n", "streams.group: ", "it would steal their messages"),
        ("paths: {caches: [/home/hummingbot]}\n", "paths.caches: ", "ends in /__pycache__"),
        ("paths: {caches: [/home/../etc/__pycache__]}\n", "paths.caches: ", "ends in /__pycache__"),
        ("bots: [{name: bot1}, {name: bot1}]\n", "bots: ", "bot1 named more than once"),
        ("bots: [{name: 'bot1; rm'}]\n", "bots.0.name: ", "is no name: letters, digits"),
        (
            "actions: {rollback: {confirmations: 3}}\n",
            "actions.rollback.confirmations: ",
            "must be at most 2",
        ),
        (
            "oncall: {rota: {people: [U0ANA00001], starts: 2026-02-31}}\n",
            "oncall.rota.starts: ",
            "is no date",
        ),
        ("actions: {reboot: {}}\n", "actions.reboot", "use one of clear_cache, degraded_mode"),
    ],
)
def test_a_wrong_desk_file_gets_one_line(text: str, where: str, says: str, tmp_path: Path) -> None:
    """The line names the file, the key in it, the problem and the mend."""
    line = desk_problem(text, tmp_path)
    assert line.lstrip().startswith(where)
    assert says in line


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{checks: [bot_stat]}", "playbooks.Mine.checks: 'bot_stat' is no check; did you mean bot_state?"),
        ("{checks: [zzz]}", "playbooks.Mine.checks: 'zzz' is no check; use one of "),
        ("{title: '{who} is ill'}", "playbooks.Mine.title: '{who} is ill' names {who}, which nobody fills"),
        ("{title: '{subject'}", "playbooks.Mine.title: '{subject' has braces that do not fit"),
    ],
)
def test_a_playbook_that_makes_no_sense_is_found_at_the_start(text: str, says: str, tmp_path: Path) -> None:
    """Not at the first alert of that name, months later; a misspelt check gets the nearest name."""
    assert desk_problem(f"playbooks: {{Mine: {text}}}\n", tmp_path).startswith(says)


def test_dotenv_is_read_as_compose_reads_it(tmp_path: Path) -> None:
    """Quotes, comments behind a value, and other variables: the same reader as for the desk's own file."""
    lines = (
        "export TRIAGE_CHANNEL=ops#1 # where incidents go",
        "HOST=loki",
        'LOKI_URL="http://${HOST}:${PORT:-3100}"',
        "LOKI_TENANT='${HOST}'",
    )
    (tmp_path / ".env").write_text("\n".join(lines), encoding="utf-8")
    settings = load_settings({}, folder=tmp_path)
    assert (settings.triage_channel, settings.loki_url) == ("ops#1", "http://loki:3100")
    assert settings.loki_tenant == "${HOST}"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        (
            "TRIAGE_FALLBACK_WEBHOOK_SECRET",
            "TRIAGE_FALLBACK_WEBHOOK_SECRET is set and TRIAGE_FALLBACK_WEBHOOK is not",
        ),
        ("TRIAGE_FALLBACK_PUSH_TOKEN", "TRIAGE_FALLBACK_PUSH_TOKEN is set and TRIAGE_FALLBACK_PUSH is not"),
    ],
)
def test_half_a_fallback_channel_is_refused(name: str, says: str, tmp_path: Path) -> None:
    """A secret without an address would be a channel that nobody misses until Slack is away."""
    line = problem({**GOOD, name: "half-s3cr3t"}, tmp_path)
    assert says in line
    assert "half-s3cr3t" not in line


def test_an_escalation_over_no_fallback_channel_is_refused(tmp_path: Path) -> None:
    """Its step would tell nobody."""
    text = "escalation: {steps: [{after_minutes: 5, fallback: true}]}"
    line = desk_problem(text, tmp_path)
    assert line.startswith("desk.yaml escalation.steps has a step with fallback: true and no channel is set")
    push = {"TRIAGE_FALLBACK_PUSH": "https://ntfy.sh/desk-7f3a"}
    load_settings({**GOOD, **push, "TRIAGE_DESK": "desk.yaml"}, folder=tmp_path).ready_to_run()
