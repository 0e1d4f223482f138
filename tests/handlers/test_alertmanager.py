"""The webhook over HTTP: 200 means that it is on disk; every refusal says why, in JSON."""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import pytest

from bot.store import SqlStore, open_store
from bot.tuning import FrontDoor
from handlers.alertmanager import BODY_MAX, WEBHOOK_PATH
from tests.handlers.posting import TOKEN, Doorway, alert, webhook
from triage.errors import StoreUnavailable
from triage.model import Signal, SignalStatus, SubjectKind
from triage.ports.store import Tx
from triage.signals.silence import WATCHDOG_NOTE

T = TypeVar("T")


@pytest.fixture
def door(sqlite_store: SqlStore) -> Doorway:
    """Give the application on a store of its own."""
    return Doorway(sqlite_store)


async def test_what_was_answered_with_200_is_on_disk(door: Doorway, tmp_path: Path) -> None:
    """Another connection to the file finds the alert, with its time, its labels and its subject."""
    answer = await door.post(webhook(alert(), alert(fingerprint="f2", labels={"instance": "host-7"})))
    assert (answer.status_code, answer.json()) == (200, {"accepted": 2})
    async with open_store(f"sqlite:///{tmp_path}/triage.db") as other:
        [first, second] = [one.signal for one in await other.read(lambda tx: tx.signals.inbox(10))]
    assert first.episode == "0123456789abcdef/2026-02-20T02:59:00.123Z"
    assert first.status is SignalStatus.FIRING
    assert first.labels["bot"] == first.subject.name == "bot1"
    assert (second.name, second.subject.kind) == ("unnamed alert", SubjectKind.HOST)
    assert door.rings == ["stored"]


async def test_a_repeat_is_accepted_and_stored_once(door: Doorway) -> None:
    """Alertmanager sends a group again and again: the second time nobody is rung."""
    for _ in range(2):
        assert (await door.post()).json() == {"accepted": 1}
    assert len(await door.signals()) == 1
    assert door.rings == ["stored"]
    assert (door.handler.counts.alerts, door.handler.counts.new) == (2, 1)


class DeadStore:
    """Stands in for a store whose disk is full."""

    async def keep(self, signals: Sequence[Signal]) -> int:
        """Fail as the store does."""
        raise StoreUnavailable(f"the disk is full: {len(signals)} signals not stored")

    async def write(self, work: Callable[[Tx], T], *, within: float = 0.0) -> T:
        """Fail as the store does."""
        raise StoreUnavailable(f"the disk is full: {work} not done within {within:g} s")

    async def read(self, work: Callable[[Tx], T]) -> T:
        """Fail as the store does."""
        return await self.write(work)


@pytest.mark.parametrize("name", ["BotHardStopActive", "Watchdog"])
async def test_what_cannot_be_stored_is_answered_with_503(name: str) -> None:
    """Alertmanager tries again after a 5xx; after a 200 the alert would be lost."""
    door = Doorway(DeadStore())
    answer = await door.post(webhook(alert(labels={"alertname": name})))
    assert answer.status_code == 503
    assert "the disk is full" in answer.json()["error"]
    assert door.rings == []
    assert door.handler.counts.refused == {503: 1}


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", TOKEN, "Bearer \xe9"])
async def test_without_the_token_nothing_is_taken(door: Doorway, header: str) -> None:
    """Missing, wrong, of another kind, or not even ASCII: 401, and nothing is stored."""
    answer = await door.post(headers={"Authorization": header.encode("latin-1")})
    assert answer.status_code == 401
    assert "http_config" in answer.json()["error"]
    assert await door.signals() == []


async def test_an_empty_token_lets_anybody_post(sqlite_store: SqlStore) -> None:
    """TRIAGE_WEBHOOK_AUTH=off: no header is asked for."""
    door = Doorway(sqlite_store, token="")
    assert (await door.post(headers={"Authorization": ""})).status_code == 200


async def test_a_body_that_is_announced_too_large_is_not_read(door: Doorway) -> None:
    """The length alone is enough: not one chunk of the body is asked for."""
    read = []

    async def body() -> AsyncIterator[bytes]:
        read.append(1)
        yield b"{}"

    answer = await door.post(content=body(), headers={"Content-Length": str(BODY_MAX + 1)})
    assert (answer.status_code, read) == (413, [])
    assert "max_alerts" in answer.json()["error"]


async def test_a_body_that_streams_on_and_on_is_cut_off(door: Doorway) -> None:
    """Chunked bodies announce nothing: what comes is counted, and the rest is not read."""
    sent = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 50:
            sent += 1
            yield b" " * 1024 * 1024

    answer = await door.post(content=body())
    assert answer.status_code == 413
    assert str(BODY_MAX) in answer.json()["error"]
    assert sent <= 6


@pytest.mark.parametrize("length", ["\xb2", "-1", "many", "9" * 5000])
async def test_a_length_that_is_no_number_is_no_fault_of_ours(door: Doorway, length: str) -> None:
    """What the server in front lets through is judged by what comes, not by what was said: never a 5xx."""
    answer = await door.post(headers={"Content-Length": length.encode("latin-1")})
    assert answer.status_code in {200, 413}


@pytest.mark.parametrize(
    "media", ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonp"]
)
async def test_only_json_is_taken(door: Doorway, media: str) -> None:
    """415 names what came; JSON with a charset is JSON."""
    answer = await door.post(headers={"Content-Type": media})
    assert answer.status_code == 415
    assert (media or "untyped") in answer.json()["error"]
    assert (await door.post(headers={"Content-Type": "Application/JSON; charset=utf-8"})).status_code == 200


WRONG: dict[str, tuple[object, str]] = {
    "not_v4": (webhook(version="3"), "version"),
    "no_version": ({"alerts": []}, "version"),
    "a_list": ([], ""),
    "alerts_no_list": (webhook(alerts={}), "alerts"),
    "unknown_status": (webhook(alert(status="pending")), "alerts.0.status"),
    "label_a_number": (webhook(alert(labels={"a": 1})), "alerts.0.labels.a"),
    "bad_start": (webhook(alert(startsAt="yesterday")), "alerts.0.startsAt"),
    "start_without_zone": (webhook(alert(startsAt="2026-02-20T03:00:00")), "alerts.0.startsAt"),
    "resolved_without_end": (webhook(alert(status="resolved", endsAt="")), "alerts.0.endsAt"),
    "no_fingerprint": (
        webhook({k: v for k, v in alert().items() if k != "fingerprint"}),
        "alerts.0.fingerprint",
    ),
    "empty_fingerprint": (webhook(alert(fingerprint="")), "alerts.0.fingerprint"),
}


@pytest.mark.parametrize("what", WRONG)
async def test_what_is_no_webhook_is_refused_with_path_and_reason(door: Doorway, what: str) -> None:
    """422 says where it is wrong and why, where not one alert of it can be read; nothing is stored."""
    body, path = WRONG[what]
    answer = await door.post(body)
    assert answer.status_code == 422
    assert answer.json().get("path", "") == path
    assert len(answer.json()["error"]) > 10
    assert await door.signals() == []


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe", b"null", b'{"version": "\\ud800"}', b"[" * 100_000], ids=repr
)
async def test_what_is_not_even_json_is_refused(door: Doorway, content: bytes) -> None:
    """Broken, empty, not UTF-8, half a surrogate pair, nested without end: 422 with a reason."""
    answer = await door.post(content=content)
    assert answer.status_code == 422
    assert answer.json()["error"]


@pytest.mark.parametrize("behind_the_front_door", [False, True])
async def test_other_methods_and_paths_are_errors_and_never_redirects(
    door: Doorway,
    behind_the_front_door: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """Alertmanager takes the 200 at the end of a redirected POST, a GET by then, for its own."""
    if behind_the_front_door:
        door.web = FrontDoor(door.web, {WEBHOOK_PATH: door.handler.receive})  # type: ignore[assignment]
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        answer = await door.call(method, WEBHOOK_PATH)
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
        assert "method" in answer.json()["error"]
    for path in (f"{WEBHOOK_PATH}/", f"/{WEBHOOK_PATH}", "/webhooks", "/", "/docs", "/readyz/"):
        answer = await door.post(path=f"http://triage{path}")
        assert answer.status_code == 404, path
        assert answer.json() == {"error": "there is nothing at this path"}
    assert (await door.post()).json() == {"accepted": 1}


async def test_unknown_keys_and_escaped_receivers_are_no_matter(door: Doorway) -> None:
    """Newer Alertmanagers send more, and escape the receiver's name as for a regular expression."""
    body = webhook(
        alert(routeLabels={}), receiver=r"desk\.triage", notification_reason="firing", more=[1, {}]
    )
    assert (await door.post(body)).json() == {"accepted": 1}
    assert len(await door.signals()) == 1


async def test_alerts_that_were_left_out_are_asked_for(door: Doorway) -> None:
    """A count above 0 in truncatedAlerts: what came is stored, and the rest is fetched at once."""
    assert (await door.post(webhook(truncatedAlerts=7))).json() == {"accepted": 1}
    assert (await door.post(webhook(truncatedAlerts=-1))).json() == {"accepted": 1}
    assert door.rings == ["stored", "hidden"]


async def test_the_watchdog_is_noted_and_is_no_incident(door: Doorway, sqlite_store: SqlStore) -> None:
    """The alert that always fires is proof of life; when it resolves, that is none."""
    body = webhook(alert(labels={"alertname": "Watchdog"}))
    assert (await door.post(body)).json() == {"accepted": 1}
    noted = await sqlite_store.read(lambda tx: tx.notes.get(WATCHDOG_NOTE))
    assert noted == door.clock.now().isoformat()
    door.clock.move(60)
    ended = alert(labels={"alertname": "Watchdog"}, status="resolved", endsAt="2026-02-20T03:00:00Z")
    await door.post(webhook(ended, status="resolved"))
    assert await sqlite_store.read(lambda tx: tx.notes.get(WATCHDOG_NOTE)) == noted
    assert await door.sorted() == []


BAD: dict[str, object] = {
    "start_no_time": alert(fingerprint="bad", startsAt="yesterday noon"),
    "label_an_object": alert(fingerprint="bad", labels={"alertname": "Odd", "bot": {"deep": [1]}}),
    "status_unknown": alert(fingerprint="bad", status="smouldering"),
    "no_fingerprint": {key: value for key, value in alert().items() if key != "fingerprint"},
    "labels_a_list": alert(fingerprint="bad", labels=["alertname", "Odd"]),
    "a_text": "an alert, they said",
    "a_null": None,
}


@pytest.mark.parametrize("what", BAD)
async def test_one_bad_alert_of_nine_costs_only_itself(door: Doorway, what: str) -> None:
    """The eight are taken as they are; the ninth is stored as it came and shown with what can be read of it."""
    good = [alert(fingerprint=f"good{n}", labels={"alertname": f"Good{n}", "bot": "bot1"}) for n in range(8)]
    body = webhook(*good) | {"alerts": [*good[:4], BAD[what], *good[4:]]}
    for _ in range(2):  # a repeat of it is known again
        answer = await door.post(body)
        assert (answer.status_code, answer.json()) == (200, {"accepted": 9})
    signals = await door.signals()
    assert len(signals) == 9
    assert sum(signal.name.startswith("Good") for signal in signals) == 8
    [bad] = [signal for signal in signals if not signal.name.startswith("Good")]
    assert "could not be read as a whole" in str(bad.data["note"])
    assert bad.data["came"]
    assert door.handler.counts.salvaged == 2
    assert len(await door.sorted()) >= 1
    assert await door.signals() == []


@pytest.mark.parametrize(
    "start", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z"]
)
@pytest.mark.parametrize("status", ["firing", "resolved"])
async def test_a_time_that_cannot_be_is_taken_for_the_arrival_and_said(
    door: Doorway, start: str, status: str
) -> None:
    """Year 1 and year 9999 are mistakes of a sender: nothing of ours may count with them."""
    body = webhook(alert(startsAt=start, endsAt="9999-12-31T00:00:00Z", status=status))
    for _ in range(2):
        assert (await door.post(body)).json() == {"accepted": 1}
        door.clock.move(60)
    signal, *again = await door.signals()
    assert len(again) == (status == "resolved")  # a resolve is told apart by its end, and ends nothing twice
    assert door.clock.now() - signal.starts_at == timedelta(seconds=120)
    assert signal.ends_at in {None, signal.starts_at}
    assert len({signal.episode, *(each.episode for each in again)}) == 1
    assert "the time of arrival is shown" in str(signal.data["note"])


async def test_null_is_taken_for_nothing_there(door: Doorway) -> None:
    """Annotations, labels within, the generator's URL and the end may be null."""
    labels = {"alertname": "BotFrozen", "bot": "bot1", "pod": None}
    odd = alert(labels=labels, annotations=None, generatorURL=None, endsAt=None)
    assert (await door.post(webhook(odd, truncatedAlerts=None, groupKey=None))).json() == {"accepted": 1}
    [signal] = await door.signals()
    assert (signal.labels, signal.annotations) == ({"alertname": "BotFrozen", "bot": "bot1"}, {})


async def test_signals_that_cannot_become_incidents_are_stored_and_answered_503(door: Doorway) -> None:
    """Part of the database is damaged: Alertmanager goes on sending, and its own alarm can sound."""
    door.handler.blocked = lambda: "database disk image is malformed"
    answer = await door.post()
    assert answer.status_code == 503
    assert "malformed" in answer.json()["error"]
    assert len(await door.signals()) == 1


async def test_two_alerts_that_share_a_fingerprint_are_two(door: Doorway) -> None:
    """A sender that is no Alertmanager gave them one: the second does not take the place of a hard stop."""
    other = alert(labels={"alertname": "WsReconnectSpike", "bot": "bot3"})
    assert (await door.post(webhook(alert(), other, alert()))).json() == {"accepted": 3}
    signals = await door.signals()
    assert {signal.name for signal in signals} == {"BotHardStopActive", "WsReconnectSpike"}
    ends = {"status": "resolved", "endsAt": "2026-02-20T03:00:00Z"}
    await door.sorted()
    await door.post(webhook({**alert(), **ends}, {**other, **ends}))
    assert await door.sorted() == []


async def test_half_a_pair_of_utf_16_costs_no_other_alert(door: Doorway) -> None:
    """JSON may name it, no text can hold it."""
    body = json.dumps(webhook(alert(labels={"alertname": "Odd", "bot": "bot2", "note": "a\ud800b"}), alert()))
    assert (await door.post(content=body.encode())).status_code == 200
    odd, good = await door.signals()
    assert (odd.name, odd.labels["note"], good.name) == ("Odd", "a?b", "BotHardStopActive")
