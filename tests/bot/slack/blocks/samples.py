"""Incidents in every state, as a desk would see them, and hostile ones that no desk should."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from tests.fakes.episodes import firing
from triage.memory.degraded_mode import Degraded
from triage.model import (
    ActionProposal,
    Cause,
    Episode,
    Finding,
    FindingStatus,
    Incident,
    IncidentShape,
    IncidentStatus,
    RunStatus,
    Severity,
    Source,
    Subject,
    SubjectKind,
    TimelineEntry,
    TimelineKind,
    TriageRun,
    Verdict,
)
from triage.reports.incident_view import IncidentView, Links, Offer, Waiting
from triage.signals.trading import BotTrading, Trading
from triage.untrusted_text import one_line

NOW = datetime(2026, 2, 20, 3, 16, tzinfo=UTC)
OPENED = NOW - timedelta(minutes=4)


def names(actor: str) -> str:
    """Show actors as the store would."""
    return {"U1": "@ana"}.get(actor, one_line(actor, 40))


def episode(name: str = "BotHardStopActive", bot: str = "bot1", **changes: Any) -> Episode:  # noqa: ANN401 - any field of the model
    """Return a firing alert."""
    values: dict[str, Any] = {
        "incident_id": 42,
        "episode": f"{name}/{bot}",
        "last_seen_at": NOW,
        "labels": {"alertname": name, "bot": bot},
        "annotations": {
            "summary": f"{bot} is in hard_stop",
            "description": f"{bot} hard_stop for 3 min, drawdown 2.6 %",
        },
    }
    return firing(name, Subject(SubjectKind.BOT, bot), OPENED, **{**values, **changes})


RUN = TriageRun(
    id=7,
    incident_id=42,
    reason="opened",
    requested_at=OPENED,
    status=RunStatus.DONE,
    playbook="bot_hard_stop",
    started_at=OPENED,
    finished_at=OPENED + timedelta(seconds=1.2),
    findings=(
        Finding(
            "bot_state",
            FindingStatus.CRITICAL,
            "hard_stop for 4 min (snapshot 22 s old) · net edge +0.02 %",
            "Prometheus",
        ),
        Finding(
            "fee_source",
            FindingStatus.OK,
            "api:bitget:user_fee_query · maker 0.10 % taker 0.10 %, as yesterday",
            "Prometheus",
        ),
        Finding(
            "error_logs",
            FindingStatus.WARNING,
            "14 in 15 min (usual: 1)",
            "Loki",
            details=(
                "×12 new    Order book stream disconnected: <err>        first 03:10",  # noqa: RUF001 - the sign for times
                "×2  known  Rate limit approached on <endpoint>",  # noqa: RUF001 - as above
            ),
        ),
        Finding("container", FindingStatus.OK, "up 3 d 4 h, 0 restarts (Docker)", "Docker"),
        Finding("streams", FindingStatus.UNKNOWN, "", "Redis", why="Redis not configured"),
    ),
    verdict=Verdict(
        causes=(
            Cause(
                cause="drawdown_limit",
                headline="Drawdown 2.6 % passed the hard limit 2.5 %; the guard stopped the bot.",
                confidence=0.92,
                because=(
                    "risk reason drawdown_hard_limit at 03:09",
                    "equity -2.6 % since 01:40",
                    "no errors, no restarts",
                ),
                advice="Leave stopped and review; nothing to restart. Rollback only if the 02:55 deploy is the reason.",
                actions=(ActionProposal("rollback", "bot1", "deploy 02:55"),),
            ),
            Cause("bad_release", "The 02:55 deploy changed the controller.", 0.31, ("image changed 02:55",)),
        ),
        actions=(ActionProposal("rollback", "bot1", "deploy 02:55"),),
        unknowns=("audit stream: Redis not configured",),
    ),
)


def incident(**changes: Any) -> Incident:  # noqa: ANN401 - any field of the model
    """Return the incident of the sketch."""
    values: dict[str, Any] = {
        "id": 42,
        "title": "bot1 hard_stop: drawdown limit",
        "name": "BotHardStopActive",
        "subjects": (Subject(SubjectKind.BOT, "bot1"),),
        "severity": Severity.SEV1,
        "status": IncidentStatus.TRIGGERED,
        "opened_at": OPENED,
        "changed_at": OPENED,
    }
    return Incident(**{**values, **changes})


LINKS = Links(
    grafana="http://grafana:3000/d/bot?var-bot=bot1&from=1",
    prometheus="http://prometheus:9090/graph?g0.expr=hbot_bot_state",
    logs="http://grafana:3000/explore?left=%7B%7D",
    alertmanager="http://alertmanager:9093/#/alerts",
)
TRADING = Trading(
    NOW,
    (
        BotTrading(
            "bot1",
            "hard_stop",
            since=OPENED,
            reasons=("drawdown_hard_limit",),
            seen_at=NOW - timedelta(seconds=40),
            orders=0.0,
            today=-0.019,
            base=0.31,
            pair="BTC-USDT",
        ),
        BotTrading("bot2", "running", seen_at=NOW - timedelta(seconds=30), orders=4.0),
        BotTrading("bot3", "running", seen_at=NOW - timedelta(seconds=20), orders=2.0),
    ),
)
OFFERS = (Offer("rollback", "bot1", "h-rollback"), Offer("kill_switch", "bot1", "h-kill"))


def view(made: Incident | None = None, **changes: Any) -> IncidentView:  # noqa: ANN401 - any field of the model
    """Return the view of the sketch."""
    values: dict[str, Any] = {
        "incident": made or incident(),
        "handle": "h-42",
        "episodes": (episode(), episode("BotDailyPnlDrawdown", severity=Severity.SEV2)),
        "run": RUN,
        "offers": OFFERS,
        "links": LINKS,
        "other_bots": ("bot2", "bot3"),
    }
    return IncidentView(**{**values, **changes})


_ACKED = {"acknowledged_at": OPENED + timedelta(minutes=2), "acknowledged_by": "U1"}
_BOTS = tuple(Subject(SubjectKind.BOT, f"bot{number}") for number in (1, 2, 3))
STATES: dict[str, IncidentView] = {
    "new": view(run=None, running=True, offers=()),
    "triaged": view(),
    "acknowledged": view(incident(status=IncidentStatus.ACKNOWLEDGED, **_ACKED)),
    "mitigated": view(
        incident(status=IncidentStatus.MITIGATED, mitigated_at=NOW, **_ACKED),
        degraded=Degraded(OPENED, 1, sure=True, incident_id=42),
    ),
    "quiet": view(incident(status=IncidentStatus.ACKNOWLEDGED, quiet=True, **_ACKED), offers=()),
    "wide": view(
        incident(title="3 bots frozen", subjects=_BOTS, shape=IncidentShape.WIDE),
        episodes=tuple(episode("BotFrozen", subject.name) for subject in _BOTS),
        offers=(
            Offer("restart", "bot1", "h1"),
            Offer("restart", "bot2", "h2"),
            Offer("restart", "bot3", "h3"),
        ),
        other_bots=(),
    ),
    "storm": view(
        incident(title="Alert storm", shape=IncidentShape.STORM, subjects=_BOTS),
        episodes=tuple(
            episode(f"Alert{number % 7}", f"bot{number % 9}", firing=number % 3 > 0, ends_at=NOW)
            for number in range(37)
        ),
    ),
    "silenced": view(silenced_until=NOW + timedelta(hours=2)),
    "reopened": view(incident(reopened=3)),
    "resolved": view(
        incident(status=IncidentStatus.RESOLVED, resolved_at=NOW + timedelta(minutes=15), **_ACKED),
        episodes=(episode(firing=False, ends_at=NOW + timedelta(minutes=15)),),
        offers=(),
    ),
}

HOSTILE = st.text(max_size=300) | st.sampled_from(
    [
        "<!channel> <!here|x> <@U0ANA00001> <#C1> <https://evil.example|click>",
        "*bold* _it_ ~s~ `code` ```pre``` :rotating_light: &lt;!channel&gt;",
        "\0\x07\u202eevil\u2066\u200b\ufeff\U000e0041",
        "password=hunter2hunter2 xoxb-1234567890-abcdefghij",
        "A" * 20_000,
        "🔥" * 3000,
        "\n" * 500,
        "<" * 3000,
        "",
    ]
)

_TIMES = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds are naive
_SUBJECTS = st.builds(Subject, st.sampled_from(SubjectKind), HOSTILE)
_EPISODES = st.builds(
    Episode,
    incident_id=st.just(1),
    source=st.sampled_from(Source),
    episode=HOSTILE,
    name=HOSTILE,
    subject=_SUBJECTS,
    severity=st.sampled_from(Severity),
    firing=st.booleans(),
    starts_at=_TIMES,
    ends_at=st.none() | _TIMES,
    last_seen_at=_TIMES,
    labels=st.dictionaries(HOSTILE, HOSTILE, max_size=3),
    annotations=st.dictionaries(st.sampled_from(["summary", "description", "x"]), HOSTILE, max_size=2),
    is_event=st.booleans(),
)
_PROPOSALS = st.builds(ActionProposal, HOSTILE, HOSTILE, HOSTILE)
_CAUSES = st.builds(
    Cause,
    cause=HOSTILE,
    headline=HOSTILE,
    confidence=st.floats(-1, 2),
    because=st.lists(HOSTILE, max_size=6).map(tuple),
    advice=HOSTILE,
)
_VERDICTS = st.builds(
    Verdict,
    causes=st.lists(_CAUSES, max_size=4).map(tuple),
    actions=st.lists(_PROPOSALS, max_size=6).map(tuple),
    unknowns=st.lists(HOSTILE, max_size=9).map(tuple),
)
_FINDINGS = st.builds(
    Finding,
    name=HOSTILE,
    status=st.sampled_from(FindingStatus),
    headline=HOSTILE,
    source=HOSTILE,
    why=HOSTILE,
    seconds=st.floats(0, 100),
    details=st.lists(HOSTILE, max_size=9).map(tuple),
)
RUNS = st.builds(
    TriageRun,
    id=st.just(1),
    incident_id=st.just(1),
    reason=HOSTILE,
    requested_at=_TIMES,
    status=st.just(RunStatus.DONE),
    playbook=HOSTILE,
    started_at=st.none() | _TIMES,
    finished_at=st.none() | _TIMES,
    findings=st.lists(_FINDINGS, max_size=20).map(tuple),
    verdict=_VERDICTS,
)
_INCIDENTS = st.builds(
    Incident,
    id=st.integers(1, 10**9),
    title=HOSTILE,
    name=HOSTILE,
    subjects=st.lists(_SUBJECTS, min_size=1, max_size=60).map(tuple),
    severity=st.sampled_from(Severity),
    status=st.sampled_from(IncidentStatus),
    opened_at=_TIMES,
    changed_at=_TIMES,
    shape=st.sampled_from(IncidentShape),
    acknowledged_at=st.none() | _TIMES,
    acknowledged_by=st.sampled_from(["", "U1", "<@U2>"]),
    mitigated_at=st.none() | _TIMES,
    resolved_at=st.none() | _TIMES,
    resolved_by=st.sampled_from(["", "U1"]),
    reopened=st.integers(0, 99),
    quiet=st.booleans(),
)
_OFFERS = st.builds(
    Offer, st.sampled_from(["rollback", "restart", "kill_switch", "clear_cache"]), HOSTILE, st.just("h" * 32)
)
_NUMBERS = st.none() | st.floats(-1e6, 1e6)
_BOT_TRADING = st.builds(
    BotTrading,
    HOSTILE,
    st.sampled_from(["running", "soft_pause", "hard_stop", "", "<!here>"]),
    since=st.none() | _TIMES,
    reasons=st.lists(HOSTILE, max_size=3).map(tuple),
    seen_at=st.none() | _TIMES,
    silent=st.booleans(),
    orders=_NUMBERS,
    today=_NUMBERS,
    pnl=_NUMBERS,
    base=_NUMBERS,
    pair=HOSTILE,
)
_WAITING = st.builds(Waiting, st.just("rollback"), HOSTILE, st.just("h" * 32), HOSTILE, _TIMES, _TIMES)
VIEWS = st.builds(
    IncidentView,
    incident=_INCIDENTS,
    handle=st.just("h" * 32),
    episodes=st.lists(_EPISODES, max_size=12).map(tuple),
    run=st.none() | RUNS,
    running=st.booleans(),
    offers=st.lists(_OFFERS, max_size=14).map(tuple),
    links=st.builds(
        Links,
        HOSTILE,
        HOSTILE,
        st.just("https://a.example/" + "&" * 900),
        st.just("https://x.example/a b|c>"),
    ),
    degraded=st.none() | st.builds(Degraded, _TIMES, st.just(1), st.booleans(), st.none() | st.just(42)),
    actions_taken=st.lists(HOSTILE, max_size=6).map(tuple),
    silenced_until=st.none() | _TIMES,
    other_bots=st.lists(HOSTILE, max_size=9).map(tuple),
    trading=st.none() | st.builds(Trading, _TIMES, st.lists(_BOT_TRADING, max_size=9).map(tuple), HOSTILE),
    daily_loss=st.just({"bot1": 0.015}),
    waiting=st.lists(_WAITING, max_size=3).map(tuple),
    under_way=st.lists(HOSTILE, max_size=2).map(tuple),
    done=HOSTILE,
)
ENTRIES = st.builds(
    TimelineEntry,
    incident_id=st.just(1),
    at=_TIMES,
    recorded_at=_TIMES,
    kind=st.sampled_from(TimelineKind),
    text=HOSTILE,
    actor=st.sampled_from(["", "U1", "alertmanager"]),
)
