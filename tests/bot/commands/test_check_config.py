"""check-config: every fault at once, in words of the file, with the mend; what is missing and what is odd apart."""

from pathlib import Path

import pytest

from bot.commands.check_config import Checked, as_text, check_config

RUNS = {
    "SLACK_BOT_TOKEN": "xoxb-1-2-abc",
    "SLACK_APP_TOKEN": "xapp-1-abc",
    "TRIAGE_CHANNEL": "C0DESK00001",
    "TRIAGE_WEBHOOK_TOKEN": "a-long-one",
}


def said(checked: Checked, level: str) -> list[str]:
    """Return the problems of a level."""
    return [f"{one.where} {one.what}" for one in checked.problems if one.level == level]


def with_desk(folder: Path, text: str, **environment: str) -> Checked:
    """Check settings whose desk.yaml has this text."""
    (folder / "desk.yaml").write_text(text, encoding="utf-8")
    return check_config({**RUNS, "TRIAGE_DESK": "desk.yaml", **environment}, folder)


def test_every_fault_is_said_at_once(tmp_path: Path) -> None:
    """Settings and desk.yaml, not only the first of them."""
    text = "bots: [{name: bot1, contaner: x}]\nkpi: {}\nschedules: {drill: '0 25 * * *'}\n"
    checked = with_desk(tmp_path, text, LOKI_URL="loki:3100", REDIS_URL="reds://cache")
    faults = said(checked, "fault")
    assert not checked.good
    assert len(faults) == 5
    assert any(one.startswith("LOKI_URL is no http(s) URL") for one in faults)
    assert any(one.startswith("REDIS_URL cannot be read") for one in faults)
    assert "desk.yaml bots.0.contaner is no key there: did you mean container?" in faults
    assert "desk.yaml kpi is no key there: did you mean kpis?" in faults
    assert any(one.startswith("desk.yaml schedules.drill '0 25 * * *' is no cron") for one in faults)


def test_every_wrong_playbook_is_said(tmp_path: Path) -> None:
    """One bad override does not hide the next."""
    text = "playbooks:\n  BotFrozen: {checks: [bot_stat]}\n  RedisDown: {title: '{bot}'}\n"
    faults = said(with_desk(tmp_path, text), "fault")
    assert len(faults) == 2
    assert "did you mean bot_state?" in " ".join(faults)


def test_no_token_is_needed_to_check(tmp_path: Path) -> None:
    """What is missing to run is said, and is no fault."""
    checked = check_config({}, tmp_path)
    assert checked.good
    missing = said(checked, "missing")
    assert [one.split(" ")[0] for one in missing] == [
        "SLACK_BOT_TOKEN",
        "SLACK_APP_TOKEN",
        "TRIAGE_CHANNEL",
        "TRIAGE_WEBHOOK_TOKEN",
    ]
    assert as_text(checked).startswith("The settings are good as far as they go")


@pytest.mark.parametrize(
    ("name", "mend"),
    [
        ("TRIAGE_CHANEL", "did you mean TRIAGE_CHANNEL?"),
        ("PROMETEUS_URL", "did you mean PROMETHEUS_URL?"),
        ("SLACK_BOT_TOKEN_FIL", "did you mean SLACK_BOT_TOKEN_FILE?"),
        ("TRIAGE_COLOUR", "it is not read"),
    ],
)
def test_a_misspelt_setting_gets_the_nearest_one(name: str, mend: str, tmp_path: Path) -> None:
    """It would be left out in silence otherwise."""
    (tmp_path / ".env").write_text(f"{name}=x\n", encoding="utf-8")
    [warning] = [one for one in said(check_config(RUNS, tmp_path), "warning") if one.startswith(name)]
    assert mend in warning


def test_other_variables_of_the_environment_are_nobodys_business(tmp_path: Path) -> None:
    """PATH and the like are no misspelt settings."""
    checked = check_config({**RUNS, "PATH": "/bin", "REDIS_URI": "x"}, tmp_path)
    assert not any("REDIS_URI" in one or "PATH" in one for one in said(checked, "warning"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SLACK_BOT_TOKEN", "xoxb-your-token"),
        ("TRIAGE_WEBHOOK_TOKEN", "changeme"),
        ("TRIAGE_WEBHOOK_TOKEN", "<webhook token>"),
        ("TRIAGE_CHANNEL", "C0123456789"),
    ],
)
def test_a_placeholder_is_warned_of(name: str, value: str, tmp_path: Path) -> None:
    """A copied example that nobody filled in."""
    warnings = said(check_config({**RUNS, name: value}, tmp_path), "warning")
    assert any(one.startswith(name) and "placeholder" in one for one in warnings)


def test_a_placeholder_in_desk_yaml_is_warned_of(tmp_path: Path) -> None:
    """A name and a path that nobody filled in are named by where they stand; nothing else is."""
    text = "bots:\n  - {name: CHANGE_ME}\n  - {name: bot2}\npaths: {env: /srv/<your desk>/.env}\n"
    warnings = [one for one in said(with_desk(tmp_path, text), "warning") if "placeholder" in one]
    assert [one.split(" still")[0] for one in warnings] == ["desk.yaml bots.0.name", "desk.yaml paths.env"]


def test_ids_that_are_none_are_warned_of(tmp_path: Path) -> None:
    """A name in place of an id would let nobody act."""
    text = "roles: {operator: {users: [ana, U0ANA00001], groups: [G123]}, approver: {users: [U0123456789]}}\n"
    warnings = said(with_desk(tmp_path, text, TRIAGE_CHANNEL="Desk Alerts"), "warning")
    assert any("'ana' is no id" in one for one in warnings)
    assert any("'G123' is no id" in one for one in warnings)
    assert any("U0123456789 is the example's id" in one for one in warnings)
    assert any("'Desk Alerts' is no channel" in one for one in warnings)
    assert not any("U0ANA00001" in one for one in warnings)


def test_a_secret_is_never_shown(tmp_path: Path) -> None:
    """Neither in a fault nor in the facts."""
    checked = check_config(
        {**RUNS, "SLACK_APP_TOKEN": "sekret-77", "REDIS_URL": "redis://:sekret-77@:x"}, tmp_path
    )
    assert "sekret-77" not in as_text(checked)
    assert "sekret-77" not in str(checked.as_json())


def test_a_fault_hides_neither_the_faults_behind_it_nor_the_ids(tmp_path: Path) -> None:
    """What is checked of the whole, and ids that are none, are said beside a misspelt key; no facts of another desk are."""
    text = (
        "bots: [{name: bot1}, {name: bot1}]\nroles: {operator: {users: [ana, '<@U0ANA00001>']}}\n"
        "kpis: {turnover_x_max: -3}\nschedules: {timezone: Mars}\n"
    )
    checked = with_desk(tmp_path, text)
    faults, warnings = " ".join(said(checked, "fault")), " ".join(said(checked, "warning"))
    for part in ("turnover_x_max -3.0 is no limit", "'Mars' is no time zone", "bot1 named more than once"):
        assert part in faults
    assert "'ana' is no id" in warnings
    assert "'<@U0ANA00001>' is no id" in warnings
    assert "names nobody" not in warnings
    assert not checked.good
    assert "bot2" not in as_text(checked)
    assert checked.as_json()["facts"] == {}


def test_each_of_many_faults_is_told_in_words_of_the_file(tmp_path: Path) -> None:
    """Also the second of one part, and one that the first would hide; none that only follows from another."""
    text = (
        "bots: [{name: bot1}, {name: bot1}, {name: 'bot 3'}]\n"
        "roles: {operater: {users: [U0ANA00001]}, approver: {users: [ana]}}\n"
        "actions: {rolback: {confirmations: 2}, kill_switch: {confirmations: 9}}\n"
        "kpis: {turnover_x_max: three, base_pct: [0.9, 0.1]}\n"
        "schedules: {timezone: Berlin}\n"
        "escalation: {steps: [{after_minutes: 5}], quiet_hours: {start: '25:00', end: '06:00'}}\n"
        "oncall: {rota: {people: [bob], starts: 2026-02-31}}\n"
        "fallback: {after_seconds: 1}\n"
        "streams: [a]\n"
    )
    checked = with_desk(tmp_path, text)
    assert sorted(said(checked, "fault")) == sorted(
        [
            "desk.yaml bots.2.name is no name: letters, digits, _, . and -, at most 63 characters",
            "desk.yaml bots bot1 named more than once",
            "desk.yaml roles.operater is no key there: did you mean operator?",
            "desk.yaml actions.rolback 'rolback' is no action; did you mean rollback?",
            "desk.yaml actions.kill_switch.confirmations must be at most 2",
            "desk.yaml kpis.turnover_x_max is no number",
            "desk.yaml kpis.base_pct 0.9 to 0.1 is no band; give the lower end first",
            "desk.yaml schedules.timezone 'Berlin' is no time zone; did you mean Europe/Berlin?",
            "desk.yaml escalation.steps.0 a step tells nobody; give it mention: [oncall] or fallback: true",
            "desk.yaml escalation.quiet_hours.start is no time; write two digits each, for instance 09:00",
            "desk.yaml oncall.rota.people.0 'bob' is no user's id; in Slack: the profile, ⋮, Copy member ID",
            "desk.yaml oncall.rota.starts is no date; write for instance 2026-02-28",
            "desk.yaml fallback.after_seconds must be at least 5",
            "desk.yaml streams holds no keys; write it as key: value",
        ]
    )
    assert any("'ana' is no id" in one for one in said(checked, "warning"))


def test_what_would_be_read_as_something_else_is_a_fault(tmp_path: Path) -> None:
    """A sixth field of cron, a share in percent, a folder that is a number, a key that belongs elsewhere."""
    text = (
        "schedules: {digest: '5 0 * * * *'}\nkpis: {base_pct: [15, 90]}\npaths: {compose: 12}\n"
        "escalation: {rota: {people: [U0ANA00001]}, quiet_hours: {start: '22:00', end: '22:00'}}\n"
        "quiet_hours: {start: '22:00', end: '06:00'}\n"
    )
    *faults, cron = sorted(said(with_desk(tmp_path, text), "fault"))
    assert cron.startswith(
        "desk.yaml schedules.digest '5 0 * * * *' is no cron expression (has 6 instead of five fields)"
    )
    assert faults == [
        "desk.yaml escalation.quiet_hours start and end are the same, so no hour is quiet; give two times",
        "desk.yaml escalation.rota is no key there: there is oncall.rota",
        "desk.yaml kpis.base_pct 15 to 90 are no shares; write 0.15 for 15 %",
        "desk.yaml paths.compose is no path; write a folder, for instance ../data",
        "desk.yaml quiet_hours is no key there: there is escalation.quiet_hours",
    ]


def test_no_fault_of_a_part_hides_another_nor_a_playbook_nor_the_channel(tmp_path: Path) -> None:
    """Limits are looked at one by one, a playbook's checks beside its severity, a channel beside a wrong address."""
    text = (
        "kpis: {running_pct_min: 650, base_pct: [0.9, 0.1], turnover_x_max: -1}\nstreams:\n"
        "oncall: {group: S12}\nplaybooks: {Mine: {checks: [bot_stat], severity: high}}\n"
    )
    checked = with_desk(tmp_path, text, TRIAGE_CHANNEL="desk alerts!", TRIAGE_LISTEN="8085")
    faults = said(checked, "fault")
    for part in (
        "running_pct_min 650 is more than 100 %",
        "base_pct 0.9 to 0.1 is no band",
        "turnover_x_max -1.0 is no limit",
        "streams is empty: give it keys, or leave it out",
        "'S12' is no user group's id",
        "playbooks.Mine.severity must be one of",
        "'bot_stat' is no check; did you mean bot_state?",
    ):
        assert [one for one in faults if part in one], (part, faults)
    assert any("'desk alerts!' is no channel" in one for one in said(checked, "warning"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name: a\n---\nname: b\n", "line 2, column 1: a second document begins; keep one"),
        (
            "schedules: {checklists: */30 * * * *}\n",
            "line 1, column 25: what begins with * must stand in quotes",
        ),
        ("name: !env NAME\n", "line 1, column 7: a tag (!…) is not read"),
        ("name: desk: one\n", "line 1, column 11: a second colon"),
        ("kpis:\n\u00a0\u00a0turnover_x_max: 2\n", "line 2: a no-break space or its like"),
        ("\tname: a\n", "line 1, column 1: a tab; indent with spaces"),
        ("bots: [{name: bot1\nroles: x\n", "line 2, column 6: expected ',' or '}'"),
    ],
)
def test_a_file_that_is_no_yaml_says_the_line_and_what_to_look_at(
    tmp_path: Path, text: str, says: str
) -> None:
    """In few words, without those of the library."""
    [fault] = said(with_desk(tmp_path, text), "fault")
    assert f"is no YAML: {says}" in fault
    assert "ruamel" not in fault
    assert "unicode string" not in fault


def test_a_key_that_is_missing_is_told(tmp_path: Path) -> None:
    """It was not taken out by us."""
    assert said(with_desk(tmp_path, "bots: [{container: hbot-bot1}]\n"), "fault") == [
        "desk.yaml bots.0.name is missing"
    ]


def test_keys_that_stand_twice_are_told_with_everything_else(tmp_path: Path) -> None:
    """At every depth, and the first of the two is checked as well."""
    text = "name: a\nkpis:\n  turnover_x_max: -1\n  turnover_x_max: 2\nname: b\n"
    assert sorted(said(with_desk(tmp_path, text), "fault")) == [
        "desk.yaml kpis.turnover_x_max -1.0 is no limit; give a number of at least 0",
        "desk.yaml line 4, column 3: duplicate key turnover_x_max: keep one of the two",
        "desk.yaml line 5, column 1: duplicate key name: keep one of the two",
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("escalation: {steps: [{after_minutes: .nan, mention: [oncall]}]}", "must be a finite number"),
        ("escalation: {steps: [{after: 5, mention: [oncall]}]}", "after is no key there: did you mean after_minutes?"),
        ("escalation: {steps: [{after_minutes: 5, who: [oncall]}]}", "there are after_minutes, mention, fallback"),
        ("escalation: {steps: [{after_minutes: true, fallback: true}]}", "is no number: it is true or false"),
        ("escalation: {quiet_hours: {start: 22, end: '06:00'}}", "start 22 is no time; write hours and minutes"),
        ("escalation: {quiet_hours: {start: '22:00Z', end: '06:00'}}", "start has a zone of its own"),
        ("escalation: {quiet_hours: {start: '22:00', end: '6:00'}}", "end is no time; write two digits each"),
        ("oncall: {rota: {people: [U0ANA00001], starts: 9999-12-27}}", "starts must be at most 2100-01-01"),
        ("oncall: {rota: {people: [U0ANA00001], starts: 2026-01-05, weeks: 1.5}}", "weeks is no whole number"),
        ("schedules: {timezone: Asia}", "timezone 'Asia' is no time zone; use a name such as"),
        ("schedules: {timezone: tokyo}", "did you mean Asia/Tokyo?"),
        ("schedules: {digest: “5 0 * * *”}", "digest stands in typographic quotes"),
        ("compose: {container_template: 'desk-{bot}'}", "container_template 'desk-{bot}' names no container"),
        ("bots: [{name: bot1}, {name: redis}]", "redis is the service redis of compose"),
        ("bots: [{name: bot1, base_pct: [20, 80]}]", "bots.0.base_pct 20 to 80 are no shares"),
        ("kpis: {drawdown_pct_max: true}", "kpis.drawdown_pct_max is no number: it is true or false"),
        ("kpis: {may_be_missing: [paper_rejects]}", "did you mean paper_reject_count?"),
        ("retention: {incidents_days: 1000000}", "incidents_days must be at most 36500"),
        ("triage: {bot_log_selector: '{{app=\"{name}\"}}'}", "bot_log_selector '{{app=\"{name}\"}}' is no selector"),
        ("agent: {workspace: desk.slack.com}", "agent.workspace 'desk.slack.com' is no workspace's id"),
        ("roles: {admin: {users: []}}", "roles.admin is no key there: there are operator, approver, reading"),
        ("12: {}", "12 is no key: a key is a word"),
    ],
)  # fmt: skip
def test_what_would_be_read_as_another_value_or_stop_a_job_later_is_a_fault(
    text: str, says: str, tmp_path: Path
) -> None:
    """Each in one sentence with its path and the mend; what follows from it is not told."""
    faults = [one for one in said(with_desk(tmp_path, text), "fault") if "is missing" not in one]
    assert [one for one in faults if says in one] == faults != []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("oncall: {rota: {people: [U0123456789], starts: 2026-01-05}}", "people.0 U0123456789 is the example's id"),
        ("agent: {people: {operator: [ana]}}", "agent.people.operator 'ana' is no id"),
        ("kpis: {running_pct_min: 0.65}", "running_pct_min 0.65 is less than it looks"),
        ("bots: [{name: bot1}, {name: Bot1}]", "bot1 and Bot1 differ in capitals alone"),
        ("bots: []", "bots names none"),
    ],
)  # fmt: skip
def test_what_is_hardly_meant_so_is_warned_of(text: str, says: str, tmp_path: Path) -> None:
    """It stops nothing, and is said with its path."""
    checked = with_desk(tmp_path, text)
    assert checked.good
    assert any(says in one for one in said(checked, "warning")), checked


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SLACK_BOT_TOKEN", "xoxb-…"),
        ("SLACK_APP_TOKEN", "xapp-1-YOUR_APP_TOKEN"),
        ("TRIAGE_WEBHOOK_TOKEN", "secret"),
        ("PROMETHEUS_URL", "http://prometheus.example.com:9090"),
        ("TRIAGE_HEARTBEAT_URL", "https://hc-ping.com/your-uuid-here"),
        ("LOKI_TENANT", "${TENANT}"),
    ],
)
def test_more_placeholders_of_settings(name: str, value: str, tmp_path: Path) -> None:
    """A setting is no prose: dots, and a word that says what belongs there, are no value."""
    warnings = said(check_config({**RUNS, name: value}, tmp_path), "warning")
    assert f"{name} still holds a placeholder: put the real value there" in warnings


def test_advice_may_name_places_in_angle_brackets(tmp_path: Path) -> None:
    """It is prose for people: docker logs <bot> is no placeholder there."""
    text = "playbooks: {BotFrozen: {advice: 'Look with docker logs <bot> … at example.com.'}}"
    assert not [one for one in said(with_desk(tmp_path, text), "warning") if "placeholder" in one]


def test_lines_of_env_that_are_not_read_are_warned_of(tmp_path: Path) -> None:
    """A line without a sign, a quote that nothing closes, a setting twice; a secret given twice is not missing."""
    (tmp_path / ".env").write_text(
        "TRIAGE LISTEN\nLOKI_TENANT=a\nLOKI_TENANT=b\nTRIAGE_LOG_LEVEL='INFO\n", encoding="utf-8"
    )
    checked = check_config(
        {**RUNS, "SLACK_APP_TOKEN_FILE": "token", "TRIAGE_CHANNEL": "c0desk00001"}, tmp_path
    )
    assert said(checked, "missing") == []
    assert said(checked, "fault") == ["SLACK_APP_TOKEN SLACK_APP_TOKEN_FILE is set too; keep one of them"]
    for says in (
        ".env line 1 is no key=value: it is not read",
        ".env line 4 opens a quote that nothing closes: it is not read",
        "LOKI_TENANT stands twice in .env: keep one of the two, the last one holds",
        "TRIAGE_CHANNEL 'c0desk00001' is no channel's id: ids are in capitals",
    ):
        assert says in said(checked, "warning")
