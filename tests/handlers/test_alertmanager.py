"""The webhook over HTTP: 200 means that it is on disk; every refusal says why, in JSON."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from loguru import logger

from bot.store import SqlStore, open_store
from handlers import alertmanager_body
from handlers.alertmanager import BODY_MAX, WEBHOOK_PATH
from tests.fakes.breaking import FAULTS
from tests.handlers.posting import TOKEN, Doorway, alert, webhook
from triage.desk import Desk
from triage.errors import StoreUnavailable
from triage.incidents import alerts
from triage.incidents.alerts import NOTE
from triage.model import Signal, SignalStatus, SubjectKind
from triage.ports.store import Tx
from triage.signals.watchdog import WATCHDOG_NOTE

T = TypeVar("T")


@pytest.fixture
def door(sqlite_store: SqlStore) -> Doorway:
    """Give the application on a store of its own."""
    return Doorway(sqlite_store)


async def test_a_number_that_is_too_long_for_python_refuses_nothing(door: Doorway) -> None:
    """Five thousand digits in one alert's annotation: it is text as the others, and every alert is taken."""
    body = json.dumps(webhook(alert(annotations={"value": 0}), alert(fingerprint="f2"))).replace(
        '"value": 0', f'"value": {"9" * 5000}'
    )
    answer = await door.post(content=body.encode())
    assert (answer.status_code, answer.json()) == (200, {"accepted": 2})


@pytest.mark.parametrize("where", ['"annotations": 0', '"fingerprint": "f2"'])
async def test_what_is_nested_too_deep_costs_itself_alone(door: Doorway, where: str) -> None:
    """A hundred thousand levels in a field of one alert: the other is taken as it is, and that one without the field."""
    bad = alert(labels={"alertname": "Deep", "text": 'a "[{" in it'}, annotations=0, fingerprint="f2")
    deep = '{"a": ' * 50_000 + "[" * 50_000 + "]" * 50_000 + "}" * 50_000
    body = json.dumps(webhook(alert(), bad)).replace(where, f"{where.partition(':')[0]}: {deep}")
    answer = await door.post(content=body.encode())
    assert (answer.status_code, answer.json()) == (200, {"accepted": 2})
    assert [one.name for one in await door.signals()] == ["BotHardStopActive", "Deep"]
    assert (await door.signals())[1].labels["text"] == 'a "[{" in it'


async def test_a_text_without_its_end_behind_many_levels_is_refused_soon(door: Doorway) -> None:
    """A body that broke off: the time that counting its levels takes grows with its size, not with its square."""
    answer = await door.post(content=b"[" * 100_000 + b'"' + b'\\"' * 1_000_000)
    assert answer.status_code == 422


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


@pytest.mark.parametrize(("severity", "graves"), [("warning", 0), ("critical", 1), ("page", 1)])
async def test_what_people_must_notice_is_said_to_whoever_sorts(
    door: Doorway, severity: str, graves: int
) -> None:
    """It does not wait for a flood to be sorted; a repeat of it tells nothing new."""
    labels = {"alertname": "HostOdd", "instance": "host-7", "severity": severity}
    for _ in range(2):
        await door.post(webhook(alert(fingerprint="f1", labels=labels)))
    assert door.graves == ["grave"] * graves


async def test_a_repeat_is_accepted_and_stored_once(door: Doorway) -> None:
    """Alertmanager sends a group again and again: the second time nobody is rung."""
    for _ in range(2):
        assert (await door.post()).json() == {"accepted": 1}
    assert len(await door.signals()) == 1
    assert door.rings == ["stored"]
    assert (door.handler.counts.alerts, door.handler.counts.new) == (2, 1)


class DeadStore:
    """Stands in for a store whose disk is full."""

    async def keep(self, signals: Sequence[Signal], stored: Callable[[], None] = lambda: None) -> int:
        """Fail as the store does."""
        del stored
        raise StoreUnavailable(f"the disk is full: {len(signals)} signals not stored")

    async def write(self, work: Callable[[Tx], T], *, within: float = 0.0, patient: bool = False) -> T:  # noqa: ARG002 - as the port
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


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_the_scheme_of_the_token_has_no_case(door: Doorway, scheme: str) -> None:
    """Alertmanager sends ``authorization.type`` as it is written there."""
    answer = await door.post(headers={"Authorization": f"{scheme} {TOKEN}"})
    assert answer.json() == {"accepted": 1}


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", TOKEN, "Bearer \xe9"])
async def test_without_the_token_nothing_is_taken(door: Doorway, header: str) -> None:
    """Missing, wrong, of another kind, or not even ASCII: 401, and nothing is stored."""
    answer = await door.post(headers={"Authorization": header.encode("latin-1")})
    assert answer.status_code == 401
    assert "http_config" in answer.json()["error"]
    assert await door.signals() == []


@pytest.fixture
def said() -> Iterator[list[str]]:
    """Give what is logged."""
    lines: list[str] = []
    sink = logger.add(lines.append, format="{message}", level="INFO")
    yield lines
    logger.remove(sink)


async def test_a_store_that_is_away_is_logged_once_and_its_end_with_how_many_it_cost(
    sqlite_store: SqlStore, said: list[str]
) -> None:
    """Alertmanager tries each of its groups again and again."""
    door = Doorway(DeadStore())
    for _ in range(3):
        assert (await door.post(webhook(alert()))).status_code == 503
    loud = [line for line in said if "not stored" in line]
    door.handler.store = sqlite_store
    assert (await door.post(webhook(alert()))).status_code == 200
    assert (await door.post(webhook(alert()))).status_code == 200
    assert len(loud) == 1, loud
    assert [line.strip() for line in said if "stored again" in line] == [
        "webhooks are stored again; 3 were answered 503"
    ]


async def test_wrong_tokens_are_counted_and_logged_once_a_second(door: Doorway, said: list[str]) -> None:
    """Whoever can reach the port may send thousands; what somebody with the token sends wrong is logged each time."""
    wrong = {"Authorization": "Bearer wrong"}

    def lines(code: int) -> int:
        return sum(f"refused with {code}" in line for line in said)

    for _ in range(20):
        await door.post(headers=wrong)
    assert (door.handler.counts.refused, lines(401)) == ({401: 20}, 1)
    door.clock.move(2)
    await door.post(headers=wrong)
    assert lines(401) == 2
    for _ in range(3):
        await door.post(content=b"[]")
    assert lines(422) == 3


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


@pytest.mark.parametrize("many", ["{}", "[]", "0", '{"a":0}'])
async def test_a_body_of_hundreds_of_thousands_of_nothings_is_refused_unread(
    door: Doorway, many: str
) -> None:
    """Each would cost a fault of its own: a million of them took a minute, and gigabytes."""
    body = f'{{"version":"4","status":"firing","alerts":[{",".join([many] * 450_000)}]}}'
    began = time.process_time()
    answer = await door.post(content=body.encode())
    assert answer.status_code == 413
    assert "max_alerts" in answer.json()["error"]
    assert time.process_time() - began < 1


async def test_more_alerts_than_any_group_has_are_refused(door: Doorway) -> None:
    """With the mend: Alertmanager then sends fewer, and says how many it left out."""
    answer = await door.post({"version": "4", "status": "firing", "alerts": [0] * 30_000})
    assert answer.status_code == 422
    assert answer.json() == {
        "error": "more than 20000 alerts: set max_alerts in the receiver",
        "path": "alerts",
    }


async def test_a_large_webhook_is_read_beside_others(door: Doorway) -> None:
    """Not in the loop: a small one that comes with it is answered before it."""
    many = [alert(fingerprint=f"number-{number}") for number in range(3000)]
    large = asyncio.create_task(door.post({"version": "4", "status": "firing", "alerts": many}))
    await asyncio.sleep(0)
    small = await door.post()
    assert (small.status_code, large.done()) == (200, False)
    assert (await large).json() == {"accepted": 3000}


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
    "an_empty_object": ({}, "alerts"),
    "no_alerts": ({"version": "4", "status": "firing", "groupKey": "{}:{}"}, "alerts"),
    "another_sender": ({"event": "push", "repository": {"name": "desk"}}, "alerts"),
    "a_list": ([alert()], ""),
    "a_text": ("firing", ""),
    "alerts_no_list": (webhook(alerts={}), "alerts"),
    "alerts_a_text": (webhook(alerts="BotFrozen"), "alerts"),
    "no_alert_with_labels": (webhook(alerts=["BotFrozen", None, {"labels": {}}]), "alerts.0"),
}


@pytest.mark.parametrize("what", WRONG)
async def test_what_is_no_webhook_is_refused_with_path_and_reason(door: Doorway, what: str) -> None:
    """422 says where it is wrong and why, where nothing in it can be read as an alert; nothing is stored."""
    body, path = WRONG[what]
    answer = await door.post(body)
    assert answer.status_code == 422
    assert answer.json().get("path", "") == path
    assert len(answer.json()["error"]) > 10
    assert await door.signals() == []


ENVELOPES: dict[str, dict[str, object]] = {
    "version_a_number": {"version": 4},
    "a_later_version": {"version": "5"},
    "version_null": {"version": None},
    "status_null": {"status": None},
    "status_unknown": {"status": "pending"},
    "status_a_number": {"status": 7},
    "group_key_an_object": {"groupKey": {"a": 1}},
    "receiver_a_list": {"receiver": ["desk"]},
    "maps_are_lists": {"groupLabels": [], "commonLabels": "x", "commonAnnotations": 3, "externalURL": None},
    "more_fields": {"orgId": 1, "title": "[FIRING:1]", "state": "alerting"},
    "one_alert_without_its_list": {"alerts": alert()},
}


@pytest.mark.parametrize("what", ENVELOPES)
async def test_whatever_is_odd_about_the_envelope_its_alerts_are_taken(door: Doorway, what: str) -> None:
    """A refusal would lose the alert for good: Alertmanager never sends again what was answered 422."""
    answer = await door.post(webhook() | ENVELOPES[what])
    assert (answer.status_code, answer.json()) == (200, {"accepted": 1})
    [signal] = await door.signals()
    assert (signal.name, signal.subject.name, signal.data) == ("BotHardStopActive", "bot1", {})


@pytest.mark.parametrize("field", ["version", "status", "receiver", "groupKey", "truncatedAlerts"])
async def test_each_field_of_the_envelope_may_be_missing(door: Doorway, field: str) -> None:
    """All that is needed are the alerts."""
    assert (await door.post({k: v for k, v in webhook().items() if k != field})).status_code == 200
    assert len(await door.signals()) == 1


async def test_null_for_alerts_is_none(door: Doorway) -> None:
    """As Go prints an empty list."""
    assert (await door.post(webhook(alerts=None))).json() == {"accepted": 0}


@pytest.mark.parametrize(
    ("left_out", "asked"),
    [
        *((count, True) for count in ("7", 2.0, "many", [1], True, float("inf"))),
        *((count, False) for count in ("0", "", None, False, -3)),
    ],
)
async def test_an_odd_count_of_alerts_left_out_is_asked_about(
    door: Doorway,
    left_out: object,
    asked: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """To ask Alertmanager for all of them does no harm; to miss some does."""
    body = json.dumps(webhook(truncatedAlerts=left_out))
    assert (await door.post(content=body.encode())).status_code == 200
    assert ("hidden" in door.rings) is asked


ALONE: dict[str, tuple[dict[str, object], str, SignalStatus]] = {
    "unknown_status": (alert(status="pending"), "bot1", SignalStatus.FIRING),
    "capital_letters": (alert(status="RESOLVED"), "bot1", SignalStatus.RESOLVED),
    "label_a_number": (alert(labels={"alertname": "Odd", "bot": 1}), "1", SignalStatus.FIRING),
    "bad_start": (alert(startsAt="yesterday"), "bot1", SignalStatus.FIRING),
    "start_a_number": (alert(startsAt=1771556340), "bot1", SignalStatus.FIRING),
    "start_without_zone": (alert(startsAt="2026-02-20T03:00:00"), "bot1", SignalStatus.FIRING),
    "resolved_without_end": (alert(status="resolved", endsAt=""), "bot1", SignalStatus.RESOLVED),
    "no_fingerprint": (alert(fingerprint=None), "bot1", SignalStatus.FIRING),
    "empty_fingerprint": (alert(fingerprint=""), "bot1", SignalStatus.FIRING),
}


@pytest.mark.parametrize("what", ALONE)
async def test_a_bad_alert_alone_is_taken_with_what_can_be_read(door: Doorway, what: str) -> None:
    """Most groups hold one alert: a refusal would lose it for good."""
    bad, subject, status = ALONE[what]
    assert (await door.post(webhook(bad))).json() == {"accepted": 1}
    [signal] = await door.signals()
    assert (signal.subject.name, signal.status) == (subject, status)
    said = "endsAt is missing" if what == "resolved_without_end" else "could not be read as a whole"
    assert said in str(signal.data["note"])


async def test_an_alert_without_status_has_its_groups(door: Doorway) -> None:
    """A resolved group resolves all that is in it."""
    plain = {key: value for key, value in alert().items() if key != "status"}
    await door.post(webhook())
    assert len(await door.sorted()) == 1
    ends = {**plain, "endsAt": "2026-02-20T02:59:30Z"}
    assert (await door.post(webhook(ends, status="resolved"))).status_code == 200
    assert [one.is_open for one in await door.sorted()] in ([], [False])


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe", b"null", b'{"version": "\\ud800"}', b"[" * 100_000], ids=repr
)
async def test_what_is_not_even_json_is_refused(door: Doorway, content: bytes) -> None:
    """Broken, empty, not UTF-8, half a surrogate pair, nested without end: 422 with a reason."""
    answer = await door.post(content=content)
    assert answer.status_code == 422
    assert answer.json()["error"]


@pytest.mark.parametrize("dispatched", [False, True])
async def test_other_methods_and_paths_are_errors_and_never_redirects(
    door: Doorway,
    dispatched: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """Alertmanager takes the 200 at the end of a redirected POST, a GET by then, for its own."""
    if dispatched:
        door.web = door.dispatched()
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


@pytest.mark.parametrize("read", [True, False])
@pytest.mark.parametrize(
    "fault", [one for one in FAULTS if isinstance(one, Exception)], ids=lambda fault: type(fault).__name__
)
async def test_alerts_that_we_fail_on_cost_only_themselves(
    door: Doorway, monkeypatch: pytest.MonkeyPatch, fault: Exception, *, read: bool
) -> None:
    """The webhook was answered 500, and Alertmanager sent all of it again and again. ``read``: their names can be."""
    usual = alerts.alert_signal

    def tripped(desk: Desk, *, labels: Mapping[str, str], **fields: Any) -> Signal:  # noqa: ANN401 - as it is called
        if labels.get("bot", "").startswith("bad") or (not read and labels.get("alertname") == "Odd"):
            raise fault
        return usual(desk, labels=labels, **fields)

    monkeypatch.setattr(alerts, "alert_signal", tripped)
    monkeypatch.setattr(alertmanager_body, "alert_signal", tripped)
    names = {"first": "Good", "bad1": "Odd", "bad2": "Odd", "last": "Good"}
    sent = [alert(fingerprint=bot, labels={"alertname": name, "bot": bot}) for bot, name in names.items()]
    answer = await door.post(webhook(*sent))
    assert (answer.status_code, answer.json()) == (200, {"accepted": 4})
    found = await door.signals()
    assert [signal.name for signal in found].count("Good") == 2
    bad = [signal for signal in found if signal.name != "Good"]
    assert bad
    assert all("a fault of ours" in str(signal.data["note"]) for signal in bad)
    assert {signal.name for signal in bad} == ({"Odd"} if read else {signal.name for signal in bad} - {"Odd"})
    assert door.handler.counts.salvaged == 2


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


OTHER = alert(labels={"alertname": "WsReconnectSpike", "bot": "bot3"})
TOGETHER, REVERSED, APART = [[alert(), OTHER]], [[OTHER, alert()]], [[alert()], [OTHER]]


def resolved(one: dict[str, object]) -> dict[str, object]:
    """Return the end of an alert."""
    return {**one, "status": "resolved", "endsAt": "2026-02-20T03:00:00Z"}


async def firing(door: Doorway) -> set[str]:
    """Sort what came; return the names of the alerts that fire."""
    incidents = [one.id for one in await door.sorted()]
    episodes = await door.store.read(lambda tx: tx.incidents.episodes(incidents))
    names = [episode.name for episode in episodes if episode.firing]
    assert len(names) == len(set(names))
    return set(names)


@pytest.mark.parametrize("came", [TOGETHER, REVERSED, APART, [*APART, *REVERSED], [*REVERSED, *APART]])
@pytest.mark.parametrize("at_once", [False, True], ids=["sorted_each", "sorted_at_once"])
async def test_two_alerts_that_share_a_fingerprint_are_two(
    door: Doorway,
    came: list[list[dict[str, object]]],
    at_once: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """A sender that is no Alertmanager gave them one: neither takes the other's place, and each ends by its own end."""
    for group in [*came, *came]:
        await door.post(webhook(*group))
        if not at_once:
            await door.sorted()
    assert await firing(door) == {"BotHardStopActive", "WsReconnectSpike"}
    await door.post(webhook(resolved(OTHER)))
    assert await firing(door) == {"BotHardStopActive"}
    await door.post(webhook(resolved(alert())))
    assert await firing(door) == set()


async def test_the_end_of_an_alert_that_was_never_seen_ends_no_other_of_its_fingerprint(
    door: Doorway,
) -> None:
    """Also where it began later than the one that goes on."""
    await door.post(webhook())
    await door.post(webhook(resolved(OTHER), resolved({**OTHER, "startsAt": "2026-02-20T02:59:50Z"})))
    assert await firing(door) == {"BotHardStopActive"}


async def test_bytes_that_are_no_utf_8_cost_no_other_alert(door: Doorway) -> None:
    """They are shown as a sign; a byte order mark is no matter."""
    body = json.dumps(webhook(alert(labels={"alertname": "Odd", "bot": "bot2", "note": "a?b"}), alert()))
    content = b"\xef\xbb\xbf" + body.encode().replace(b"a?b", b"a\xffb")
    assert (await door.post(content=content)).json() == {"accepted": 2}
    odd, good = await door.signals()
    assert (odd.name, odd.labels["note"], good.name) == ("Odd", "a\ufffdb", "BotHardStopActive")


async def test_half_a_pair_of_utf_16_costs_no_other_alert(door: Doorway) -> None:
    """JSON may name it, no text can hold it."""
    body = json.dumps(webhook(alert(labels={"alertname": "Odd", "bot": "bot2", "note": "a\ud800b"}), alert()))
    assert (await door.post(content=body.encode())).status_code == 200
    odd, good = await door.signals()
    assert (odd.name, odd.labels["note"], good.name) == ("Odd", "a?b", "BotHardStopActive")


@pytest.mark.parametrize(
    ("changes", "begun", "ended", "note"),
    [
        ({"startsAt": "2026-02-20T03:02:00Z"}, 0.0, None, ""),
        ({"startsAt": "2026-02-20T04:00:00Z"}, 0.0, None, "startsAt 2026-02-20T04:00:00Z cannot be"),
        ({"startsAt": "2026-02-20t02:59:00z"}, -60.0, None, ""),
        ({"status": "resolved", "endsAt": "2026-02-20T02:58:00Z"}, -60.0, 0.0, "endsAt lies before startsAt"),
        ({"status": "resolved", "endsAt": "2026-02-20T03:02:00Z"}, -60.0, 0.0, ""),
        ({"status": "resolved", "endsAt": ""}, -60.0, 0.0, "endsAt is missing"),
        ({"status": "resolved", "endsAt": None}, -60.0, 0.0, "endsAt is missing"),
    ],
    ids=lambda value: str(value)[:60],
)
async def test_an_alert_lasts_no_negative_time(
    door: Doorway, changes: dict[str, Any], begun: float, ended: float | None, note: str
) -> None:
    """Neither begins nor ends after now, nor ends before it began; small differences of two clocks are not worth a word."""
    answer = await door.post(webhook(alert(**{"startsAt": "2026-02-20T02:59:00Z"} | changes)))
    assert answer.status_code == 200
    [signal] = await door.signals()
    now = door.clock.now()
    assert (signal.starts_at - now).total_seconds() == begun
    assert (None if signal.ends_at is None else (signal.ends_at - now).total_seconds()) == ended
    assert signal.data.get(NOTE, "").startswith(note)
    assert bool(signal.data.get(NOTE)) is bool(note)
