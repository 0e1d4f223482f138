"""``/livez``, ``/readyz``, ``/metrics``: what they say with each dependency well, and with each of them not."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx
import pytest
from prometheus_client import parser

from bot import readiness
from bot.liveness import Liveness
from bot.metrics import MetricsPage
from bot.readiness import LOOPS, OWED_SECONDS, STUCK_SECONDS, Readiness
from bot.store import SqlStore
from bot.web import make_web
from handlers.health import Health
from tests.fakes.breaking import FAULTS
from tests.fakes.clock import ManualClock
from tests.handlers.posting import Doorway, alert, webhook
from triage.errors import StoreUnavailable
from triage.ports.answers import CauseAnswer
from triage.ports.store import Store, Tx

T = TypeVar("T")


class DeadStore:
    """Stands in for a store that is gone: fails, or never answers."""

    def __init__(self, *, hangs: bool = False) -> None:
        self.hangs = hangs

    async def read(self, work: Callable[[Tx], T]) -> T:
        """Fail as the store does."""
        if self.hangs:
            await asyncio.sleep(60)
        raise StoreUnavailable(f"the store cannot be read: {work}")

    async def write(self, work: Callable[[Tx], T], *, within: float = 9.0, patient: bool = False) -> T:  # noqa: ARG002 - as the port
        """Fail as the store does."""
        async with asyncio.timeout(within):
            return await self.read(work)

    async def keep(self, signals: object, stored: object = None) -> int:
        """Never asked."""
        raise AssertionError(signals, stored)


@dataclass
class Ward:
    """The health routes on parts whose state the test sets."""

    store: Store
    clock: ManualClock = field(default_factory=ManualClock)
    connected: bool = True
    problems: dict[str, str] = field(default_factory=dict)
    troubles: dict[str, str] = field(default_factory=lambda: {"redis": "", "docker": ""})

    def __post_init__(self) -> None:
        self.liveness = Liveness(self.clock)
        for loop in LOOPS:
            self.liveness.beat(loop)
        self.door = Doorway(self.store, clock=self.clock)
        self.page = MetricsPage(
            self.store, self.clock, self.door.handler.counts, self.liveness, lambda: (3, 5)
        ).page
        self.ready_by = ready = Readiness(
            self.store,
            self.clock,
            self.liveness,
            slack_connected=lambda: self.connected,
            slack_problems=lambda: self.problems,
            troubles=lambda: self.troubles,
        )
        self.web = make_web(Health(ready.dependencies, self._numbers).endpoints(), version="0.0.0")

    def _numbers(self) -> Awaitable[bytes]:
        return self.page()

    async def get(self, path: str) -> httpx.Response:
        """Ask for a page."""
        transport = httpx.ASGITransport(self.web)
        async with httpx.AsyncClient(transport=transport, base_url="http://triage") as http:
            return await http.get(path)

    async def ready(self) -> tuple[int, dict[str, Any]]:
        """Return the status of ``/readyz`` and each dependency; checks that the two agree."""
        answer = await self.get("/readyz")
        body = answer.json()
        assert body["ready"] is (answer.status_code == 200)
        return answer.status_code, body["dependencies"]

    async def numbers(self) -> dict[str, float]:
        """Return what Prometheus reads: each sample by its name, with its labels' values."""
        answer = await self.get("/metrics")
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        families = list(parser.text_string_to_metric_families(answer.text))
        assert all(family.documentation for family in families)
        return {
            " ".join([sample.name, *sample.labels.values()]): sample.value
            for family in families
            for sample in family.samples
        }


@pytest.fixture
def ward(sqlite_store: SqlStore) -> Ward:
    """Give the routes on a store of their own."""
    return Ward(sqlite_store)


async def test_it_is_ready_when_all_is_well(ward: Ward) -> None:
    """Every dependency is named, ok, and says nothing more."""
    status, found = await ward.ready()
    assert status == 200
    assert set(found) == {"store", "outbox", "loops", "slack", "agent", "redis", "docker"}
    assert all(each["ok"] and "why" not in each for each in found.values())
    assert (found["outbox"]["pending"], found["outbox"]["oldest_seconds"]) == (0, 0.0)


@pytest.mark.parametrize("loop", LOOPS)
async def test_a_loop_that_is_stuck_makes_it_unready(ward: Ward, loop: str) -> None:
    """Nothing is told any more: 503 with the loop's name; it is ready again when the loop goes round."""
    ward.clock.move(STUCK_SECONDS + 1)
    for other in set(LOOPS) - {loop}:
        ward.liveness.beat(other)
    status, found = await ward.ready()
    assert (status, found["loops"]["why"]) == (503, f"stuck: {loop}")
    ward.liveness.beat(loop)
    assert (await ward.ready())[0] == 200


@pytest.mark.parametrize("hangs", [False, True])
async def test_without_its_store_it_is_alive_and_not_ready(
    hangs: bool,  # noqa: FBT001 - a parameter
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A store that fails or hangs: 503 when its two seconds are over, and the process is not restarted for it."""
    assert readiness.STORE_SECONDS == 2
    monkeypatch.setattr(readiness, "STORE_SECONDS", 0.2)
    ward = Ward(DeadStore(hangs=hangs))
    async with asyncio.timeout(5):
        status, found = await ward.ready()
    assert (status, found["store"]["needed"]) == (503, True)
    assert (
        found["store"]["why"] == "no answer within 0.2 s"
        if hangs
        else "cannot be read" in found["store"]["why"]
    )
    assert (await ward.get("/livez")).text == "ok\n"


async def test_slack_and_the_sources_are_told_and_not_needed(ward: Ward) -> None:
    """Alerts are taken while Slack is away: 200, with what is wrong."""
    ward.connected = False
    ward.troubles["redis"] = "redis: no answer"
    status, found = await ward.ready()
    assert status == 200
    assert found["slack"] == {"ok": False, "needed": False, "why": "no connection to Slack"}
    assert found["redis"] == {"ok": False, "needed": False, "why": "redis: no answer"}
    ward.problems = {"auth": "SLACK_BOT_TOKEN: invalid_auth", "channel": "TRIAGE_CHANNEL: not_in_channel"}
    status, found = await ward.ready()
    assert status == 200
    assert found["slack"]["why"] == "SLACK_BOT_TOKEN: invalid_auth; TRIAGE_CHANNEL: not_in_channel"
    ward.problems = {
        "listener": "auth.test: invalid_auth (mend)",
        "app": "chat.postMessage: invalid_auth (mend)",
    }
    ward.problems |= {"more": "and 2 more of the kind"}
    _, found = await ward.ready()
    assert found["slack"]["why"] == "auth.test, chat.postMessage: invalid_auth (mend); and 2 more of the kind"


async def test_a_message_that_is_owed_for_long_shows(ward: Ward) -> None:
    """People are not told: the outbox is not ok, and says how many wait and for how long."""
    await ward.door.post(webhook(alert()))
    await ward.door.sorted()
    assert (await ward.ready())[1]["outbox"]["ok"]
    ward.clock.move(OWED_SECONDS + 1)
    for loop in LOOPS:
        ward.liveness.beat(loop)
    status, found = await ward.ready()
    assert (status, found["outbox"]["ok"], found["outbox"]["oldest_seconds"]) == (
        200,
        False,
        OWED_SECONDS + 1,
    )
    assert found["outbox"]["why"].startswith("the oldest of 1 message to Slack has waited for 5 min")
    assert found["outbox"]["pending"] >= 1


async def test_metrics_count_what_happened(ward: Ward) -> None:
    """Webhooks taken and refused, alerts, repeats, what waits, and incidents by severity."""
    await ward.door.post(webhook(alert(), alert(fingerprint="f2", labels={"instance": "host-7"})))
    await ward.door.post(webhook(alert()))
    await ward.door.post({"alerts": "none"})
    await ward.door.post(headers={"Authorization": ""})
    before = await ward.numbers()
    assert before["triage_inbox_pending"] == 2
    await ward.door.sorted()
    ward.clock.move(12)
    numbers = await ward.numbers()
    assert numbers["triage_webhooks_accepted_total"] == 2
    assert numbers["triage_alerts_received_total"] == 3
    assert numbers["triage_signals_new_total"] == 2
    assert (numbers["triage_webhooks_refused_total 422"], numbers["triage_webhooks_refused_total 401"]) == (
        1,
        1,
    )
    assert (numbers["triage_store_commits_total"], numbers["triage_store_writes_total"]) == (3, 5)
    assert numbers["triage_inbox_pending"] == 0
    assert numbers["triage_outbox_pending"] >= 2
    assert numbers["triage_outbox_oldest_seconds"] == 12
    assert numbers["triage_loop_age_seconds sender"] == 12
    assert sum(value for name, value in numbers.items() if name.startswith("triage_incidents_open ")) == 2
    assert {name.split("_")[0] for name in numbers} == {"triage", "process", "python"}


async def test_metrics_count_what_people_said_of_verdicts(ward: Ward) -> None:
    """By how sure the verdict was; nothing where nobody answered."""
    await ward.door.post(webhook(alert()))
    await ward.door.sorted()
    assert not [name for name in await ward.numbers() if name.startswith("triage_verdicts")]
    at = ward.clock.now()
    said = CauseAnswer(1, 1, at, "U0ANA", right=True, said="edge_gate", strength="likely", cause="edge_gate")
    await ward.store.write(lambda tx: tx.answers.put(said))
    numbers = await ward.numbers()
    assert numbers["triage_verdicts_answered right likely"] == 1
    assert numbers["triage_verdicts_answered wrong likely"] == 0


async def test_metrics_leave_out_what_the_store_cannot_say() -> None:
    """A gap in a graph, not a 0: the counts of the process itself are still there."""
    numbers = await Ward(DeadStore()).numbers()
    assert numbers["triage_webhooks_accepted_total"] == 0
    assert not {name for name in numbers if "incidents" in name or "pending" in name}


async def test_those_who_ask_at_once_share_an_answer_that_was_begun_after_they_asked(ward: Ward) -> None:
    """A flood of questions without the token costs few answers; none is older than its question."""
    begun, started, goes_on = 0, asyncio.Event(), asyncio.Event()

    async def page() -> bytes:
        nonlocal begun
        begun += 1
        mine = begun
        started.set()
        await goes_on.wait()
        return f"page {mine}".encode()

    ward.page = page
    first = asyncio.create_task(ward.get("/metrics"))
    await started.wait()
    rest = [asyncio.create_task(ward.get("/metrics")) for _ in range(20)]
    await asyncio.sleep(0.1)
    goes_on.set()
    assert (await first).text == "page 1"
    assert {(await each).text for each in rest} == {"page 2"}
    assert (await ward.get("/metrics")).text == "page 3"


async def test_an_answer_that_fails_is_nobody_elses(ward: Ward) -> None:
    """Who waits behind it gets one of its own."""
    asked = 0

    async def page() -> bytes:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0.05)
        if asked == 1:
            raise ValueError("broken")
        return b"well"

    ward.page = page
    answers = await asyncio.gather(*(ward.get("/metrics") for _ in range(3)), return_exceptions=True)
    assert sorted(getattr(each, "text", "broken") for each in answers) == ["broken", "well", "well"]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
async def test_a_part_that_we_fail_to_ask_hides_no_other(
    ward: Ward, monkeypatch: pytest.MonkeyPatch, fault: BaseException
) -> None:
    """Both pages answered 500, nobody saw how the rest is, and the heartbeat stopped."""

    async def fails(*_: object) -> None:
        raise fault

    def fails_at_once() -> dict[str, str]:
        raise ValueError("broken")

    with monkeypatch.context() as patched:
        patched.setattr(ward.store, "read", fails)
        status, found = await ward.ready()
        assert set(found) >= {"store", "loops", "slack", "agent", "redis"}
        assert any(name.startswith("triage_") for name in await ward.numbers())
    if not isinstance(fault, TimeoutError):  # of a store that is late
        assert (status, found["outbox"]["ok"]) == (200, False)
        assert f"a fault of ours ({type(fault).__name__}" in found["outbox"]["why"]
    monkeypatch.setattr(ward.ready_by, "troubles", fails_at_once)
    status, found = await ward.ready()
    assert (status, found["troubles"]["why"]) == (200, "a fault of ours (ValueError: broken)")
