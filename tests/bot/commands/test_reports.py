"""``hbot-triage digest`` and ``postmortem``: the promised shape, the exit codes, and the mend in every refusal."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.command_line.table import app
from tests.flows.desk_files import write_minutes

pytestmark = pytest.mark.slow

AT = "2026-02-21T00:00:00Z"
KPIS = [
    "running_pct",
    "flaps",
    "turnover_x",
    "daily_loss_pct",
    "drawdown_pct",
    "risk_hard_stops",
    "cancel_within_budget_pct",
    "fee_source_resolved_pct",
    "paper_reject_count",
    "base_pct_in_band_pct",
    "tracking_error",
]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder with bot1's files of two days, and no settings but the defaults."""
    for name in ("SLACK_BOT_TOKEN", "TRIAGE_DESK", "TRIAGE_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    write_minutes(
        tmp_path / "data", "bot1", datetime(2026, 2, 19, tzinfo=UTC), datetime(2026, 2, 21, tzinfo=UTC)
    )
    return tmp_path / "data"


def run(*arguments: object) -> Result:
    """Run a command line."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_the_json_has_the_promised_shape(data: Path) -> None:
    """Window, bots, coverage, verdict, and every KPI by its name with value, limit, status, why."""
    result = run("digest", "--bot", "bot1", "--window", "24h", "--at", AT, "--data", data, "--json")
    assert result.exit_code == 0
    body = json.loads(result.stdout)
    assert body["window"] == {"start": "2026-02-20T00:00:00Z", "end": AT}
    nobody: dict[str, object] = {
        "answered": 0,
        "right": 0,
        "share": None,
        "by_strength": {},
        "no_cause_named": 0,
    }
    assert body["verdicts"] == {"period": nobody, "ever": nobody}
    [bot] = body["bots"]
    assert (bot["bot"], bot["coverage_pct"], bot["verdict"]) == ("bot1", 100.0, "meets")
    assert [kpi["name"] for kpi in bot["kpis"]] == KPIS
    for kpi in bot["kpis"]:
        assert {"name", "value", "limit", "status", "why"} <= kpi.keys()
        assert kpi["status"] in {"pass", "fail", "not_measured"}


def test_the_text_says_the_verdict_first(data: Path) -> None:
    """And every bot of the desk has its line."""
    result = run("digest", "--at", AT, "--data", data)
    assert result.exit_code == 0
    assert result.stdout.startswith("KPI digest 2026-02-20 00:00 to 2026-02-21 00:00 UTC: hold")
    assert "🟢 bot1 meets the checklist" in result.stdout
    assert "⚪ bot3 hold: not a single minute was written" in result.stdout
    assert "the service has no database" in result.stdout, "what was not looked up is said"
    assert not (data.parent / "var").exists(), "asking makes no database"


def test_a_picture_is_written(data: Path, tmp_path: Path) -> None:
    """One bot, one file."""
    target = tmp_path / "out" / "day.png"
    assert run("digest", "--bot", "bot1", "--at", AT, "--data", data, "--png", target).exit_code == 0
    assert target.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["digest", "--window", "5x"], 2, "write for instance 24h, 7d or 30d"),
        (["digest", "--window", "0h"], 2, "write for instance 24h"),
        (["digest", "--window", "9000d"], 2, "longer than"),
        (["digest", "--at", "yesterday"], 2, "write for instance 2026-02-21T00:00:00Z"),
        (["digest", "--at", "2026-02-21T00:00:00"], 2, "has no time zone"),
        (["digest", "--at", "0001-01-01T00:00:00Z"], 2, "is of no year from 1971 to 9998"),
        (["digest", "--at", "9999-12-31T23:59:00Z"], 2, "is of no year from 1971 to 9998"),
        (["digest", "--bot", "bot9"], 2, "the desk has bot1, bot2, bot3"),
        (["digest", "--data", "/nowhere"], 1, "/nowhere cannot be read"),
        (["digest", "--colour"], 2, "No such option"),
        (["postmortem", "seven"], 2, "write for instance INC-42"),
        (["postmortem", "INC-3"], 1, "There is no incident INC-3"),
        (["postmortem", "INC-3", "--out", "."], 2, "is a folder; name a file in it, for instance INC-3.md"),
        (
            ["postmortem", "INC-3", "--out", "nowhere/x.md"],
            2,
            "nowhere/x.md cannot be written: there is no folder nowhere",
        ),
    ],
)
@pytest.mark.usefixtures("data")
def test_a_wrong_question_is_answered_with_the_mend(arguments: list[str], code: int, words: str) -> None:
    """2 for wrong usage, 1 where the answer is bad; one line, no traceback."""
    result = run(*arguments)
    assert result.exit_code == code
    assert words in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr
