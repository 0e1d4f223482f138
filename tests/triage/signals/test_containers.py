"""Container events: an operator's stop told from a crash, a loop from a fall, and whose container it is."""

from datetime import timedelta
from typing import Any

import pytest

from tests.triage.signals.happening import CONTAINER, DESK, NOW, engine, told
from triage.desk_events import DeskEvent, Gravity
from triage.model import Severity, SubjectKind
from triage.ports.sources import ContainerState
from triage.signals.containers import (
    DIED,
    LOOP,
    OOM,
    container_event,
    container_signal,
    judge,
    missed_death,
    unhealthy,
)

PROJECT = "com.docker.compose.project"


def die(ago: float = 0, **facts: Any) -> DeskEvent:  # noqa: ANN401 - the event's own fields
    """A container ends."""
    return told("die", ago=ago, **{"exit_code": 1, **facts})


def kill(signal: str, ago: float, **facts: Any) -> DeskEvent:  # noqa: ANN401 - as above
    """The engine is told to send a signal."""
    return told("kill", ago=ago, signal=signal, **facts)


@pytest.mark.parametrize(
    ("before", "name"),
    [
        ([], DIED),
        ([kill("15", 8)], ""),
        ([kill("9", 1)], ""),
        ([kill("2", 1)], ""),
        ([kill("", 1)], ""),  # the engine's default is lethal
        ([kill("15", 89)], ""),
        ([kill("15", 91)], DIED),
        ([kill("10", 1)], DIED),  # SIGUSR1: no stop
        ([kill("1", 1)], ""),
        ([kill("15", 8, container="hbot-bot2")], DIED),
        ([kill("15", 8, container_id="an older one")], DIED),
        ([told("oom", ago=1)], ""),  # the oom has its own signal
        ([told("oom", ago=11)], DIED),
    ],
    ids=[
        "by itself", "SIGTERM", "SIGKILL", "SIGINT", "no signal named", "a slow stop", "too long ago", "SIGUSR1", "SIGHUP",
        "another container", "its predecessor", "out of memory", "an old oom",
    ],
)  # fmt: skip
def test_a_death_is_a_crash_unless_somebody_asked_for_it(before: list[DeskEvent], name: str) -> None:
    """The engine had been told to send this very container a lethal signal, a moment before."""
    assert judge(DESK, die(), before).name == name


def test_what_is_known_of_a_death_stands_in_its_words() -> None:
    """By hand, by itself, for want of memory: the text, the weight, and the mark for the loops after it."""
    by_hand = judge(DESK, die(exit_code=137), [kill("15", 8)]).event
    assert by_hand.text == f"{CONTAINER} was stopped by hand (exit code 137)"
    assert (by_hand.gravity, by_hand.data["by_operator"]) == (Gravity.INFO, True)
    assert judge(DESK, die(), []).event.text == f"{CONTAINER} died by itself (exit code 1)"
    starved = judge(DESK, die(exit_code=137), [told("oom", ago=1)]).event
    assert starved.text == f"{CONTAINER} died by itself (out of memory, exit code 137)"


def stopped(ago: float) -> DeskEvent:
    """A stop by hand, as it was kept."""
    return judge(DESK, die(ago), [kill("15", ago + 1)]).event


@pytest.mark.parametrize(
    ("before", "name"),
    [
        ([die(60)], DIED),
        ([die(60), die(30)], LOOP),
        ([die(90), die(60), die(30)], LOOP),
        ([die(601), die(30)], DIED),
        ([die(600), die(30)], LOOP),
        ([stopped(60), stopped(30)], DIED),
        ([die(60), stopped(30)], DIED),
        ([die(60, container="hbot-bot2"), die(30)], DIED),
        ([told("oom", ago=61), die(60), told("oom", ago=31), die(30), told("oom", ago=1)], LOOP),
    ],
    ids=[
        "second turn", "third turn", "fourth turn", "one too long ago", "just in time", "stops by hand", "a stop between",
        "another's death", "for want of memory",
    ],
)  # fmt: skip
def test_the_third_death_in_ten_minutes_is_a_loop(before: list[DeskEvent], name: str) -> None:
    """Those that nobody asked for, of the same container."""
    assert judge(DESK, die(), before).name == name


def test_a_loop_says_how_often_and_in_what_time() -> None:
    """An operator sees how bad it is."""
    assert judge(DESK, die(exit_code=3), [die(60), die(30)]).text == (
        f"{CONTAINER} died 3 times in 60 s, exit code 3"
    )


def test_running_out_of_memory_speaks_at_once() -> None:
    """Before the death that follows."""
    judged = judge(DESK, told("oom"), [])
    assert (judged.name, judged.text) == (OOM, f"{CONTAINER} ran out of memory")
    assert judged.event.gravity is Gravity.ERROR


@pytest.mark.parametrize(
    ("action", "line"),
    [
        ("create", True), ("restart", True), ("stop", True), ("update", True), ("pause", True), ("unpause", True),
        ("kill", False), ("destroy", False), ("rename", False), ("start", False), ("health_status", False),
    ],
)  # fmt: skip
def test_what_people_do_is_told_and_is_no_signal(action: str, line: bool) -> None:  # noqa: FBT001 - a row of the table
    """What changed is worth a line in an open thread; its companions only stand on the timeline."""
    judged = judge(DESK, told(action), [])
    assert (judged.name, judged.in_thread) == ("", line)


def test_a_container_made_anew_from_another_image_is_a_deployment() -> None:
    """Both images are named; with the same one nothing more is said."""
    created = judge(DESK, told("create", image="hbot/bot:2"), [told("start", ago=99, image="hbot/bot:1")])
    assert created.event.text == f"{CONTAINER} created with a new image hbot/bot:2 (was hbot/bot:1)"
    assert created.event.data["image_before"] == "hbot/bot:1"
    same = judge(DESK, told("create"), [told("start", ago=99)])
    assert same.event.text == f"{CONTAINER} created from hbot/bot:1"


@pytest.mark.parametrize(
    ("container", "attributes", "subject"),
    [
        ("hbot-bot1", {}, "bot1"),
        ("hbot-redis", {}, "hbot-redis"),
        ("hbot-grafana", {}, "hbot-grafana"),
        ("something", {PROJECT: "hbot"}, "something"),
        ("something", {PROJECT: "mail"}, None),
        ("mail-server", {}, None),
    ],
)
def test_a_container_is_its_bots_or_itself_or_somebody_elses(
    container: str, attributes: dict[str, str], subject: str | None
) -> None:
    """One engine may serve others; theirs are not taken."""
    event = container_event(DESK, engine("die", container=container, attributes=attributes), NOW)
    assert (str(event.subject) if event else None) == subject


def test_an_event_of_a_clock_that_is_ahead_is_of_now() -> None:
    """Nobody has seen the future; its key is its own time all the same."""
    event = told("die", ago=-3600)
    assert event.at == NOW
    assert event.key == f"container/{int((NOW.timestamp() + 3600) * 1e9)}/c0ffee/die"


@pytest.mark.parametrize(
    ("container", "severity"), [("hbot-bot1", Severity.SEV2), ("hbot-grafana", Severity.SEV3)]
)
def test_a_signal_knows_its_container_and_how_grave_it_is(container: str, severity: Severity) -> None:
    """What only shows pictures is no Sev-2."""
    signal = container_signal(DESK, judge(DESK, die(container=container), []), NOW)
    assert (signal.name, signal.severity, signal.labels["name"]) == (DIED, severity, container)
    assert signal.labels["exit_code"] == "1"
    assert signal.episode.endswith(f"/die/{DIED}")


def test_a_failing_health_check_is_a_condition_of_its_container() -> None:
    """It begins when the engine said so, and is about the container or its bot."""
    condition = unhealthy(
        DESK, told("health_status", ago=9, container="hbot-redis", attributes={"health": "unhealthy"})
    )
    assert (condition.name, condition.subject.kind, condition.since) == (
        "ContainerUnhealthy", SubjectKind.CONTAINER, NOW - timedelta(seconds=9),
    )  # fmt: skip


def state(ended_ago: float | None, **changes: object) -> ContainerState:
    """Return a container's state; it ended so many seconds ago."""
    values: dict[str, object] = {
        "name": CONTAINER, "id": "c0ffee", "status": "exited", "image": "hbot/bot:1", "image_id": "sha256:1",
        "created_at": None, "started_at": None, "restart_count": 0, "exit_code": 255, "oom_killed": False, "health": "",
        "finished_at": None if ended_ago is None else NOW - timedelta(seconds=ended_ago), **changes,
    }  # fmt: skip
    return ContainerState(**values)  # type: ignore[arg-type] # the caller names fields


@pytest.mark.parametrize(
    ("found", "known", "down"),
    [
        (state(60), [], True),
        (state(60, status="running"), [], False),
        (state(60), [die(62)], None),
        (state(60), [die(70)], True),
        (state(60), [die(60, container="hbot-bot2")], True),
        (state(200), [], None),
        (state(None), [], None),
        (state(60, name="mail-server"), [], None),
    ],
    ids=[
        "down",
        "runs again",
        "known",
        "an earlier death",
        "another's",
        "before",
        "never ended",
        "somebody else's",
    ],
)
def test_a_death_that_the_engine_forgot_is_read_from_the_state(
    found: ContainerState,
    known: list[DeskEvent],
    down: bool | None,  # noqa: FBT001 - a row of the table
) -> None:
    """What ended since the last event, and was missed; ``down``: it does not run now, None: no such death."""
    event = missed_death(DESK, found, NOW - timedelta(seconds=120), known, NOW)
    assert (event.data["down"] if event else None) is down
    if event is not None:
        assert event.gravity is (Gravity.WARNING if down else Gravity.INFO)
        assert "while the engine did not answer (exit code 255)" in event.text


def test_a_replacement_of_compose_is_no_other_container() -> None:
    """Its labels tell the service while it is called otherwise (compose 2.17 and later)."""
    labels = {PROJECT: "hbot", "com.docker.compose.service": "bot1"}
    event = container_event(
        DESK, engine("create", container="0123456789ab_hbot-bot1", attributes=labels), NOW
    )
    assert event is not None
    assert (str(event.subject), event.data["container"]) == ("bot1", CONTAINER)
    assert event.text == f"{CONTAINER} created from hbot/bot:1"


def test_a_new_image_is_told_when_the_old_container_goes() -> None:
    """Compose 2 makes the new one first: of the old one nothing was reported for weeks."""
    made = told("create", ago=12, image="hbot/bot:2", container_id="new")
    gone = judge(DESK, told("destroy", image="hbot/bot:1", container_id="old"), [made])
    assert (gone.in_thread, gone.event.text) == (
        True,
        f"{CONTAINER} has a new image hbot/bot:2 (was hbot/bot:1)",
    )
    same = judge(DESK, told("destroy", image="hbot/bot:2", container_id="old"), [made])
    assert (same.in_thread, same.event.text) == (False, f"{CONTAINER} removed")
