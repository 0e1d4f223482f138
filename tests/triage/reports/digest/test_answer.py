"""A digest as words: the verdict first, every number with its unit and limit, what is missing said."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.slack.blocks.answer import BUDGET, answer_blocks, answer_text
from triage.kpis.model import (
    BotReport,
    CapitalGate,
    Coverage,
    DigestReport,
    IncidentFigures,
    IncidentNote,
    Kpi,
    KpiStatus,
    KpiVerdict,
    TradingResult,
)
from triage.reports.digest.answer import digest_text
from triage.reports.digest.lines import verdict_line

START = datetime(2026, 2, 20, tzinfo=UTC)
END = START + timedelta(days=1)
PASS, FAIL, UNMEASURED = KpiStatus.PASS, KpiStatus.FAIL, KpiStatus.NOT_MEASURED


def kpi(
    name: str, value: float | None, limit: float, status: KpiStatus, why: str = "because", *, unit: str = "%"
) -> Kpi:
    """Return one KPI."""
    return Kpi(name=name, value=value, limit=limit, unit=unit, status=status, why=why)


def report(bot: str = "bot1", **changes: object) -> BotReport:
    """Return a bot that meets the checklist, with some things changed."""
    good = BotReport(
        bot=bot,
        variant="a",
        coverage_pct=100.0,
        verdict=KpiVerdict.MEETS,
        held_by=(),
        kpis=(kpi("running_pct", 97.25, 65, PASS), kpi("turnover_x", 1.5, 3, PASS, unit="x")),
        gates=(
            CapitalGate(
                name="turnover", value=1.5, limit=3, unit="x", status=PASS, why="1.50 x, below 3 asked"
            ),
        ),
        trading=TradingResult(pnl_quote=12.5, pnl_pct=0.125, fills=40, fees_quote=3.0),
        trading_before=TradingResult(pnl_quote=-4.0),
        coverage=Coverage(1440, 1440, rows=1440),
        incidents=IncidentFigures(),
    )
    return replace(good, **changes)  # type: ignore[arg-type]


def said(*bots: BotReport, incidents: tuple[IncidentNote, ...] = (), problems: tuple[str, ...] = ()) -> str:
    """Return a digest as text."""
    whole = DigestReport(START, END, bots, problems=problems)
    return answer_text(digest_text(whole, incidents, title="KPI digest").top)


def test_the_verdict_is_the_first_thing_that_is_read() -> None:
    """In the title, and in the first line with the bot's name."""
    text = said(report())
    assert text.splitlines()[0] == "KPI digest: meets the checklist"
    assert text.splitlines()[2] == "🟢 bot1 meets the checklist"


def test_a_bot_that_could_not_be_measured_holds_the_digest() -> None:
    """What nobody measured does not meet the checklist, however well the others did."""
    whole = DigestReport(START, END, (report(),), problems=("killed",), unmeasured=("bot7",))
    text = digest_text(whole, (), title="KPI digest")
    lines = answer_text(text.top).splitlines()
    assert lines[0] == "KPI digest: hold"
    assert any("bot7" in line and "hold: could not be measured" in line for line in lines)
    assert text.top.preview == "KPI digest: hold (1 of 2 bots)"


def test_a_hold_names_what_holds_it() -> None:
    """The failed ones with their value, the unmeasured by name, the gate with its reason."""
    text = said(
        report(
            verdict=KpiVerdict.HOLD,
            held_by=("running_pct: because", "paper_reject_count not measured: no column", "gate"),
            kpis=(
                kpi("running_pct", 3.06, 65, FAIL),
                kpi("paper_reject_count", None, 3, UNMEASURED, "no column", unit="rejects"),
            ),
            gates=(
                CapitalGate(
                    name="unresolved_incidents",
                    value=1,
                    limit=0,
                    unit="incidents",
                    status=FAIL,
                    why="INC-4 unresolved",
                ),
            ),
        )
    )
    assert text.splitlines()[0] == "KPI digest: hold"
    assert "hold: running 3.06 %, gate: INC-4 unresolved; not measured: rejects" in text


def test_a_hold_does_not_name_what_may_be_missing() -> None:
    """It is not measured and not what holds the verdict."""
    kpis = (kpi("turnover_x", 3.5, 3, FAIL), kpi("paper_reject_count", None, 3, UNMEASURED))
    held = report(verdict=KpiVerdict.HOLD, held_by=("turnover_x: because",), kpis=kpis)
    assert verdict_line(held).text == "hold: turnover 3.50 %"


def test_a_hold_for_lines_that_were_not_understood_says_so() -> None:
    """Every KPI passes on the others: the reason must not be empty."""
    unread = "50 of 110 lines not understood (no timestamp, first in fills.csv at byte 98)"
    assert verdict_line(report(verdict=KpiVerdict.HOLD, held_by=(unread,))).text == f"hold: {unread}"


def test_a_file_that_is_refused_is_not_called_unwritten() -> None:
    """Somebody wrote it: it could not be read."""
    refused = "minute.csv could not be read: it is a link"
    none = report(verdict=KpiVerdict.HOLD, coverage=Coverage(1440, 0, notes=(refused,)))
    assert verdict_line(none).text == f"hold: not a single row could be read ({refused})"


def test_each_kpi_has_value_limit_word_and_change() -> None:
    """A pass is short, a fail says why, an unmeasured one what is missing."""
    changed = replace(
        kpi("drawdown_pct", 2.75, 2.5, FAIL, "worst 2.75 % at 03:09 UTC"), before=1.0, change=1.75
    )
    text = said(
        report(
            kpis=(kpi("running_pct", 97.25, 65, PASS), changed, kpi("flaps", None, 0, UNMEASURED, "no state"))
        )
    )
    assert "🟢 Running pass · 97.2 % (≥ 65 %)" in text
    assert "🔴 Drawdown fail · 2.75 % (< 2.5 %) · was 1 % · worst 2.75 % at 03:09 UTC" in text
    assert "⚪ Flapping not measured: no state" in text


def test_a_pass_on_a_part_of_the_rows_says_so() -> None:
    """Evidence that is thin is not hidden behind a green sign."""
    thin = replace(kpi("daily_loss_pct", 0.1, 1.5, PASS), measured_pct=10.3)
    held = report(
        kpis=(thin,), verdict=KpiVerdict.HOLD, held_by=("daily_loss_pct passes on 10 % of the rows only",)
    )
    text = said(held)
    assert "measured on 10 % of the rows" in text
    assert "1 KPI measured on too few rows" in text


def test_no_minus_stands_before_a_zero() -> None:
    """A loss that rounds to nothing is nothing."""
    assert "PnL 0.00 (0.00 %)" in said(report(trading=TradingResult(pnl_quote=-0.0001, pnl_pct=-0.0001)))


def test_the_result_is_compared_with_the_period_before() -> None:
    """PnL, its share, what it was, fees and fills."""
    assert "Result PnL +12.5 (+0.12 %), was −4 · fees 3 · 40 fills" in said(report())  # noqa: RUF001 - the sign of a number


def test_incidents_say_how_long_people_took() -> None:
    """Acknowledged after, resolved after; an open one is not resolved."""
    began = START + timedelta(hours=3)
    times = (began + timedelta(minutes=2), began + timedelta(minutes=19))
    notes = (
        IncidentNote("INC-1", "bot1 hard_stop", began, ("bot1",), "Sev-1", *times),
        IncidentNote(id="INC-2", title="disk almost full", started_at=began, bots=(), severity="Sev-2"),
    )
    text = said(report(), incidents=notes)
    assert "🟢 INC-1 Sev-1 · bot1 hard_stop · acknowledged after 2 min · resolved after 19 min" in text
    assert "🟠 INC-2 Sev-2 · disk almost full · not acknowledged · unresolved" in text


def test_a_bot_without_rows_is_one_line_not_eleven() -> None:
    """What was not there is said once."""
    text = said(
        report("bot3", coverage=Coverage(1440, 0, empty_days=("2026-02-20",)), verdict=KpiVerdict.HOLD)
    )
    assert "⚪ bot3 hold: not a single minute was written" in text
    assert "Running" not in text


def test_many_bots_have_a_line_at_the_top_and_a_message_each() -> None:
    """Ten bots are verdicts with their result; the figures of each are apart."""
    bots = tuple(
        report(f"bot{number}", kpis=tuple(kpi("running_pct", 97, 65, PASS) for _ in range(11)))
        for number in range(10)
    )
    text = digest_text(DigestReport(START, END, bots), (), title="KPI digest")
    assert [name for name, _ in text.bots] == [f"bot{number}" for number in range(10)]
    assert answer_text(text.top).count("· PnL +12.5") == 10
    assert "Running" not in answer_text(text.top)
    assert "Running" in answer_text(text.bots[0][1])


def test_problems_are_said() -> None:
    """A picture that failed is named at the end."""
    assert "picture of bot1: out of memory" in said(report(), problems=("picture of bot1: out of memory",))


def test_hostile_names_and_reasons_fit_slacks_limits() -> None:
    """Long and untrusted text is cut and pings nobody."""
    bots = tuple(
        report(
            f"bot{n}",
            kpis=tuple(kpi("x" * 500, None, 0, UNMEASURED, "<!channel> *b* " * 500) for _ in range(11)),
        )
        for n in range(30)
    )
    text = digest_text(DigestReport(START, END, bots, problems=("<@U1>" * 3000,)), (), title="KPI digest")
    for answer in (text.top, *(one for _, one in text.bots)):
        shown = answer_blocks(answer)
        leaves = [leaf for block in shown.blocks for leaf in _texts(block)]
        assert sum(map(len, leaves)) <= BUDGET + 1500
        assert "mrkdwn" not in str(shown.blocks)


def _texts(node: object) -> list[str]:
    if isinstance(node, dict):
        own = [node["text"]] if isinstance(node.get("text"), str) else []
        return own + [text for value in node.values() for text in _texts(value)]
    return [text for value in node for text in _texts(value)] if isinstance(node, list) else []
