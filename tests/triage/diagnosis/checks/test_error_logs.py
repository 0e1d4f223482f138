"""The check of the bots' error logs."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from tests.fakes.sources import NOW, FakeLogs, FakeSources
from tests.triage.diagnosis.checks.context import context
from triage.desk import Desk
from triage.desk_sections.triage import TriageSettings
from triage.diagnosis.checks import error_logs
from triage.diagnosis.checks.base import CheckContext
from triage.errors import SourceRejected, SourceUnreachable
from triage.model import FindingStatus
from triage.ports.sources import LogLine, LogLines

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def log(
    sources: FakeSources, message: str, *, ago: timedelta, level: str = "ERROR", bot: str = "bot1"
) -> None:
    """Add a line as the bots write them."""
    stamp = (NOW - ago).strftime("%Y-%m-%d %H:%M:%S,000")
    sources.logs.add(f"{stamp} - 42 - hummingbot.connector - {level} - {message}", ago=ago, bot=bot)


async def test_no_errors_are_ok() -> None:
    """A bot that speaks and has no errors."""
    sources = FakeSources()
    log(sources, "fine", ago=MINUTE, level="INFO")
    log(sources, "fine", ago=3 * HOUR, level="INFO")
    finding = await error_logs.run(context(sources))
    assert (finding.status, finding.headline) == (FindingStatus.OK, "0 in 15 min (usual: 0)")


async def test_new_errors_are_named_first_and_known_ones_after() -> None:
    """As the message shows them: count, novelty, template, first seen."""
    sources = FakeSources()
    for n in range(12):
        log(sources, f"Order book stream disconnected: code {n}", ago=MINUTE * 6 - timedelta(seconds=n))
    for n in range(96):
        log(sources, f"Rate limit approached on /api/v2/orders: {n} %", ago=HOUR + MINUTE * 10 * n)
    log(sources, "Rate limit approached on /api/v2/orders: 7 %", ago=MINUTE)
    finding = await error_logs.run(context(sources))
    assert finding.status is FindingStatus.WARNING
    assert finding.headline == "13 in 15 min (usual: 1)"
    assert finding.details == (
        "×12 new  Order book stream disconnected: code <n>  first 03:10",  # noqa: RUF001 - as it is shown
        "×1 known  Rate limit approached on <path>: <n> %  first 03:15",  # noqa: RUF001 - as it is shown
    )
    kinds = [each["kind"] for each in finding.data["bots"]["bot1"]["templates"]]
    assert kinds == ["new", "known"]


async def test_a_flood_is_critical() -> None:
    """More than the desk's own limit for a spike, and far more than usual."""
    sources = FakeSources()
    for n in range(30):
        log(sources, f"Order {n} rejected", ago=timedelta(seconds=n))
    finding = await error_logs.run(context(sources))
    assert finding.status is FindingStatus.CRITICAL


async def test_what_was_logged_before_our_own_action_ended_says_nothing_of_its_help() -> None:
    """The errors that the action was for are still in the last quarter of an hour; those after its end count."""
    sources = FakeSources()
    for n in range(30):
        log(sources, f"Cancel {n} refused", ago=timedelta(minutes=3, seconds=n))
    for ago in (timedelta(seconds=5), MINUTE, 3 * HOUR):
        log(sources, "ticks", ago=ago, level="INFO")
    told = context(sources, since=NOW - 2 * MINUTE)
    ours = replace(told, ours=(NOW - timedelta(seconds=150), NOW - 2 * MINUTE))
    assert (await error_logs.run(told)).status is FindingStatus.CRITICAL
    helped = await error_logs.run(ours)
    assert (helped.status, helped.headline) == (FindingStatus.OK, "0 in 2 min (usual: 0)")
    for n in range(7):
        log(sources, f"Cancel {n} refused", ago=timedelta(seconds=40 + n))
    goes_on = await error_logs.run(ours)
    assert (goes_on.status, goes_on.headline) == (FindingStatus.WARNING, "7 in 2 min (usual: 0)")
    quiet = FakeSources()
    log(quiet, "Starting", ago=timedelta(seconds=140), level="INFO")
    heard = await error_logs.run(replace(ours, sources=quiet.port))
    assert heard.headline.startswith("0 in 2 min"), "its start shows that its log is heard"
    mute = await error_logs.run(replace(ours, sources=FakeSources().port))
    assert (mute.status, mute.headline) == (FindingStatus.UNKNOWN, "no log line at all in 2 min")
    just_ended = await error_logs.run(replace(ours, ours=(NOW - 2 * MINUTE, NOW)))
    assert just_ended.headline.startswith("0 in 30 s"), "a window without length asks nothing"


async def test_as_many_as_always_is_ok() -> None:
    """A bot's own usual is its measure."""
    sources = FakeSources()
    for n in range(24 * 12):
        log(sources, f"Order {n} rejected", ago=MINUTE * 5 * n)
    finding = await error_logs.run(context(sources))
    assert finding.status is FindingStatus.OK
    assert finding.headline == "4 in 15 min (usual: 3)"


async def test_the_trouble_does_not_become_its_own_usual() -> None:
    """Triaged again three hours in: the time before the trouble is the measure."""
    sources = FakeSources()
    for n in range(180):
        log(sources, f"Order {n} rejected", ago=MINUTE * n)
    log(sources, "up", ago=8 * HOUR, level="INFO")
    finding = await error_logs.run(context(sources, since=NOW - 3 * HOUR))
    (template,) = finding.data["bots"]["bot1"]["templates"]
    assert template["kind"] == "new"
    assert finding.data["bots"]["bot1"]["usual"] == 0


async def test_a_bot_without_any_line_is_unknown() -> None:
    """Silence is not the absence of errors."""
    finding = await error_logs.run(context(FakeSources()))
    assert finding.status is FindingStatus.UNKNOWN
    assert finding.why == "Loki holds no line of bot1 in the last 15 min"


async def test_several_bots_are_one_finding() -> None:
    """Each with its line; the silent one is named."""
    sources = FakeSources()
    log(sources, "Order 1 rejected", ago=MINUTE)
    log(sources, "fine", ago=MINUTE, level="INFO", bot="bot2")
    finding = await error_logs.run(context(sources, "bot1", "bot2", "bot3"))
    assert finding.headline == "errors in 15 min: bot1 1 · no lines: bot3"
    assert finding.details[0] == "bot1: 1 in 15 min (usual not known)"


async def test_a_cut_answer_is_a_lower_bound_with_the_true_count() -> None:
    """Loki's own count is not cut."""
    sources = FakeSources()
    for n in range(4500):
        log(sources, f"Order {n} rejected", ago=timedelta(milliseconds=150 * n))
    # Reading thousands of lines takes part of the check's time: on a busy machine nearly all of the usual five seconds.
    patient = Desk(triage=TriageSettings(deadline_seconds=120))
    finding = await error_logs.run(context(sources, desk=patient))
    assert finding.headline == "≥ 4500 in 15 min (usual not known)"
    (line,) = finding.details
    assert line.startswith("≥ ×4000  Order <n> rejected  seen since")  # noqa: RUF001 - as it is shown


async def test_secrets_are_masked_in_all_that_is_kept() -> None:
    """Headline, details and data are stored and shown."""
    sources = FakeSources()
    log(sources, "login failed: api_secret=hunter2hunter2", ago=MINUTE)
    assert "hunter2" not in repr(await error_logs.run(context(sources)))


async def test_a_refused_baseline_costs_the_comparison_alone() -> None:
    """A range of a day is more than this Loki allows: the errors stand there, and nothing is new."""
    sources = FakeSources()
    for n in range(7):
        log(sources, f"Order {n} rejected", ago=timedelta(seconds=n))
    usual, asked = sources.logs.counts, []

    async def counts(
        selector: str, *, by: str, end: datetime, window_seconds: float, **more: float
    ) -> object:
        asked.append(window_seconds)
        if window_seconds > 3600:
            raise SourceRejected("Loki", "400: the query time range exceeds the limit")
        return await usual(selector, by=by, end=end, window_seconds=window_seconds, **more)

    logs = Wrapped(sources.logs, counts=counts)
    ctx = context(sources)
    finding = await error_logs.run(replace(ctx, sources=replace(ctx.sources, logs=logs)))  # type: ignore[arg-type] # duck
    assert finding.headline == "7 in 15 min (usual not known)"
    assert finding.details == ("×7  Order <n> rejected  first 03:15",)  # noqa: RUF001 - as it is shown
    assert finding.why == "usual not known: 400: the query time range exceeds the limit"
    assert finding.status is FindingStatus.WARNING
    assert [each["kind"] for each in finding.data["bots"]["bot1"]["templates"]] == ["unknown"]


@pytest.mark.parametrize(
    ("errors", "headline"),
    [(0, "its lines were not read in 15 min"), (2, "≥ 2 in 15 min (usual not known)")],
)
async def test_lines_that_loki_did_not_give_are_not_known_to_be_calm(errors: int, headline: str) -> None:
    """It counts and gives no lines: what they say is not known, however few they are."""
    sources = FakeSources()
    log(sources, "fine", ago=MINUTE, level="INFO")
    for n in range(errors):
        log(sources, f"Order {n} rejected", ago=timedelta(seconds=n))

    finding = await error_logs.run(_without_lines_of(sources, "window"))
    assert (finding.status, finding.headline) == (FindingStatus.UNKNOWN, headline)
    assert "its lines were not read" in finding.why


@pytest.mark.parametrize(("refused", "status"), [("baseline", "unknown"), ("nothing", "ok")])
async def test_a_few_errors_that_could_not_be_compared_are_not_ok(refused: str, status: str) -> None:
    """A refused baseline leaves open whether they are new; a young desk has none, and nothing is refused."""
    sources = FakeSources()
    log(sources, "Order 3 rejected", ago=MINUTE)
    if refused == "baseline":
        log(sources, "Order 3 rejected", ago=5 * HOUR)
    finding = await error_logs.run(_without_lines_of(sources, refused))
    assert finding.status == FindingStatus(status)
    assert ("what is new not known: 429" in finding.why) is (refused == "baseline")


def _without_lines_of(sources: FakeSources, part: str) -> CheckContext:
    """Return a context whose Loki refuses to give the lines of the window, or of the baseline."""
    given = sources.logs.lines

    async def lines(selector: str, *, start: datetime, end: datetime, **more: float) -> LogLines:
        if part == ("window" if end == NOW else "baseline"):
            raise SourceRejected("Loki", "429: too many outstanding requests")
        return await given(selector, start=start, end=end, **more)  # type: ignore[arg-type] # limits

    ctx = context(sources)
    logs = Wrapped(sources.logs, lines=lines)
    return replace(ctx, sources=replace(ctx.sources, logs=logs))  # type: ignore[arg-type] # duck


@pytest.mark.parametrize(("limit", "counted_by_loki"), [(4000, 1), (20, 2)])
async def test_loki_counts_the_baseline_where_not_all_of_its_lines_came(
    monkeypatch: pytest.MonkeyPatch, limit: int, counted_by_loki: int
) -> None:
    """A question over a day that the lines have answered already is not asked; the usual is the same."""
    monkeypatch.setattr(error_logs, "_LINES_MAX", limit)
    sources = FakeSources()
    for n in range(96):
        log(sources, f"Order {n} rejected", ago=HOUR + MINUTE * 10 * n)
    log(sources, "Order 7 rejected", ago=MINUTE)
    finding = await error_logs.run(context(sources))
    assert finding.headline == "1 in 15 min (usual: 1)"
    counts = [each for each in sources.logs.asked if each.startswith("counts ") and "CRITICAL" in each]
    assert len(counts) == counted_by_loki


async def test_one_question_names_all_bots() -> None:
    """A hundred bots do not make a hundred questions."""
    sources = FakeSources()
    names = [f"bot{n}" for n in range(100)]
    for name in names:
        log(sources, "Order 1 rejected", ago=MINUTE, bot=name)
    finding = await error_logs.run(context(sources, *names))
    assert len(finding.data["bots"]) == 100
    assert len(sources.logs.asked) <= 8


class Wrapped:
    """A port of which some methods are replaced."""

    def __init__(self, inner: object, **methods: object) -> None:
        self._inner = inner
        self.__dict__.update(methods)

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)


@dataclass
class Keeping(FakeLogs):
    """Keeps what may be kept, as Loki's client does."""

    kept: dict[object, LogLines] = field(default_factory=dict)

    async def lines(
        self,
        selector: str,
        *,
        contains: str = "",
        start: datetime,
        end: datetime,
        limit: int = 5000,
        kept_seconds: float = 0,
    ) -> LogLines:
        """Return the newest lines."""
        key = (selector, start, end)
        found = self.kept.get(key) or await FakeLogs.lines(
            self, selector, contains=contains, start=start, end=end, limit=limit
        )
        if kept_seconds:
            self.kept[key] = found
        return found


async def test_a_baseline_that_is_kept_is_read_once_and_compared_with_what_is_new() -> None:
    """Reading thousands of lines takes longer than Loki does; the later triage still sees its own window."""
    sources = FakeSources(logs=Keeping())
    for bot in ("bot1", "bot2"):
        for n in range(24):
            log(sources, f"Order {n} rejected", ago=HOUR * n + HOUR, bot=bot)
    log(sources, "Order 99 rejected", ago=MINUTE)
    first = await error_logs.run(context(sources, "bot1", "bot2"))
    [kept] = sources.logs.kept.values()  # type: ignore[attr-defined]
    read = dict(kept.read)
    assert len(read) == 1, "of the bot that has a line in its window"
    log(sources, "Insufficient margin for the order", ago=MINUTE / 2)
    second = await error_logs.run(context(sources, "bot1", "bot2"))
    assert kept.read == read
    assert [each["kind"] for each in first.data["bots"]["bot1"]["templates"]] == ["known"]
    assert {each["kind"] for each in second.data["bots"]["bot1"]["templates"]} == {"new", "known"}


def written(*said: str, cut: bool = False) -> LogLines:
    """Return lines that a container wrote a minute ago."""
    at = NOW - MINUTE
    stamp = at.strftime("%Y-%m-%d %H:%M:%S,000")
    lines = tuple(LogLine(at, f"{stamp} - 42 - hummingbot.connector - {text}", {}) for text in said)
    return LogLines(lines, truncated=cut)


async def test_without_loki_the_last_lines_of_the_container_stand_in_and_are_said_to() -> None:
    """Errors are told, and nothing is called new or usual."""
    sources = FakeSources()
    sources.logs.error = SourceUnreachable("Loki", "cannot connect")
    sources.containers.written["hbot-bot1"] = written("ERROR - Order book stream disconnected", "INFO - fine")
    finding = await error_logs.run(context(sources))
    assert finding.source == "Docker"
    assert finding.headline == "1 in 15 min (usual not known)"
    assert finding.why.startswith(
        "Loki cannot be asked (cannot connect): these are the last lines of the containers"
    )
    (template,) = finding.data["bots"]["bot1"]["templates"]
    assert (template["kind"], finding.data["bots"]["bot1"]["usual"]) == ("unknown", None)


async def test_calm_lines_of_a_container_are_no_proof_where_some_are_missing() -> None:
    """The engine keeps few of a bot that talks much."""
    sources = FakeSources()
    sources.logs.error = SourceUnreachable("Loki", "cannot connect")
    sources.containers.written["hbot-bot1"] = written("INFO - fine")
    assert (await error_logs.run(context(sources))).status is FindingStatus.OK
    sources.containers.written["hbot-bot1"] = written("INFO - fine", cut=True)
    finding = await error_logs.run(context(sources))
    assert (finding.status, "not all of the window: bot1" in finding.why) == (FindingStatus.UNKNOWN, True)


async def test_where_the_container_says_nothing_either_loki_is_what_is_missing() -> None:
    """As before: unknown, with what Loki's trouble is."""
    sources = FakeSources()
    sources.logs.error = SourceUnreachable("Loki", "cannot connect")
    with pytest.raises(SourceUnreachable, match="Loki: cannot connect"):
        await error_logs.run(context(sources))
