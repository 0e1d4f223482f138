"""The checks of the containers and of what changed."""

from dataclasses import replace
from datetime import timedelta

from tests.fakes.sources import NOW, FakeSources, container, event, sample
from tests.triage.diagnosis.checks.context import context
from triage.diagnosis.checks import changes
from triage.diagnosis.checks import container as container_check
from triage.diagnosis.checks.base import OwnAct
from triage.errors import SourceNotConfigured, SourceUnreachable
from triage.model import FindingStatus
from triage.ports.sources import unread_container

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
NAME = "hbot-bot1"


def seen(sources: FakeSources, *, ago: float = 10, resets: float = 0, ooms: float = 0) -> None:
    """Let cAdvisor have seen the container."""
    sources.metrics.answers |= {
        "container_last_seen": [sample(ago, name=NAME)],
        "resets(": [sample(resets, name=NAME)],
        "container_oom_events_total": [sample(ooms, name=NAME)],
    }


async def test_a_container_that_runs_well_says_how_long() -> None:
    """The engine is named as the source."""
    sources = FakeSources()
    sources.containers.hold(container(NAME))
    finding = await container_check.run(context(sources))
    assert (finding.status, finding.source) == (FindingStatus.OK, "Docker")
    assert finding.headline == "up 3 d, 0 restarts (Docker)"


async def test_an_exit_is_critical_with_its_code() -> None:
    """137 is a SIGKILL: said in words."""
    sources = FakeSources()
    sources.containers.hold(container(NAME, status="exited", exit_code=137, oom_killed=True, restart_count=2))
    finding = await container_check.run(context(sources))
    assert finding.status is FindingStatus.CRITICAL
    assert finding.headline == "exited, killed for memory (OOM), 2 restarts, exit code 137 (SIGKILL) (Docker)"


async def test_a_loop_is_seen_in_the_past_events() -> None:
    """Three crashes in an hour, though it runs at the moment."""
    sources = FakeSources()
    sources.containers.hold(container(NAME, restart_count=3, started_at=NOW - MINUTE))
    sources.containers.past = [event("die", NAME, ago=MINUTE * n, code=1) for n in (9, 5, 1)]
    finding = await container_check.run(context(sources))
    assert finding.status is FindingStatus.CRITICAL
    assert finding.headline.startswith("restart loop, up 60 s, 3 restarts, 3 exits in 1 h")


async def test_what_our_own_action_ended_is_told_as_ours_and_is_no_doubt() -> None:
    """It was told to end while the action was at work; a death without that order, or of another time, counts as ever."""
    sources = FakeSources()
    sources.containers.hold(container(NAME, started_at=NOW - MINUTE))
    order = event("kill", NAME, ago=2.2 * MINUTE)
    ours = event("die", NAME, ago=2 * MINUTE, code=137)
    sources.containers.past = [order, ours]
    at_work = (NOW - 2.5 * MINUTE, NOW - MINUTE)
    finding = await container_check.run(replace(context(sources), ours=at_work))
    assert (finding.status, finding.headline) == (FindingStatus.OK, "up 60 s, restarted by us (Docker)")
    sources.containers.past = [order, ours, event("die", NAME, ago=1.5 * MINUTE, code=1)]
    finding = await container_check.run(replace(context(sources), ours=at_work))
    assert finding.status is FindingStatus.WARNING
    assert finding.headline == "up 60 s, restarted by us, 1 exit in 1 h, exit code 1 (Docker)"
    sources.containers.past = [order, ours]
    for other in (None, (NOW - HOUR, NOW - 10 * MINUTE)):
        finding = await container_check.run(replace(context(sources), ours=other))
        assert finding.headline == "up 60 s, 0 restarts, 1 exit in 1 h, exit code 137 (SIGKILL) (Docker)"


async def test_what_an_action_of_ours_ended_lately_is_no_crash_in_any_triage() -> None:
    """Three restarts that people asked us for are no restart loop; a fourth that nobody asked for is counted."""
    sources = FakeSources()
    sources.containers.hold(container(NAME, started_at=NOW - MINUTE))
    begun = (9, 6, 3)
    acts = tuple(
        OwnAct("Restart on bot1", frozenset({NAME}), NOW - n * MINUTE, NOW - (n - 1) * MINUTE) for n in begun
    )
    orders = [event("kill", NAME, ago=(n - 0.2) * MINUTE) for n in begun]
    sources.containers.past = sorted(
        (*orders, *(event("die", NAME, ago=(n - 0.4) * MINUTE, code=137) for n in begun)),
        key=lambda each: each.time_ns,
    )
    finding = await container_check.run(replace(context(sources), acts=acts))
    assert finding.headline == "up 60 s, restarted by us (Docker)"
    finding = await container_check.run(context(sources))
    assert finding.headline.startswith("restart loop")
    sources.containers.past.append(event("die", NAME, ago=1.2 * MINUTE, code=1))
    finding = await container_check.run(replace(context(sources), acts=acts))
    assert finding.data["containers"][NAME]["restarts_hour"] == 1


async def test_a_change_of_our_own_is_told_as_ours() -> None:
    """While an action was at work on the container, or on the whole desk, and shortly after; not before and not later."""
    sources = FakeSources()
    sources.containers.hold(container(NAME), container("hbot-redis", status="exited"))
    sources.containers.past = [
        replace(event("kill", "hbot-redis", ago=2 * MINUTE), signal="15"),
        replace(event("kill", NAME, ago=30 * MINUTE), signal="15"),
    ]
    acts = (
        OwnAct("Degraded mode", None, NOW - 2.1 * MINUTE),
        OwnAct("Restart on bot2", frozenset({"hbot-bot2"}), NOW - HOUR),
    )
    finding = await changes.run(replace(context(sources), acts=acts))
    by = {each["container"]: each["by"] for each in finding.data["changes"] if each["what"] == "killed"}
    assert by == {"hbot-redis": "Degraded mode", NAME: ""}
    assert any("hbot-redis killed by Degraded mode at" in each for each in finding.details)


async def test_an_oom_kill_that_the_engine_forgot_is_remembered_by_the_kernel() -> None:
    """State.OOMKilled is reset when the container starts again."""
    sources = FakeSources()
    sources.containers.hold(container(NAME))
    seen(sources, ooms=2)
    finding = await container_check.run(context(sources))
    assert finding.status is FindingStatus.WARNING
    assert finding.data["containers"][NAME]["oom_count"] == 2


async def test_without_the_engine_the_metrics_speak_with_a_lower_bound() -> None:
    """And the finding says who spoke and why."""
    sources = FakeSources()
    sources.containers.error = SourceNotConfigured("Docker")
    seen(sources, resets=2)
    finding = await container_check.run(context(sources))
    assert finding.headline == "running, ≥ 2 restarts in 1 h (metrics)"
    assert (finding.source, finding.why) == ("Prometheus (cAdvisor)", "Docker: not configured")


async def test_not_seen_for_over_a_minute_is_down() -> None:
    """CAdvisor's series linger for five minutes after a death."""
    sources = FakeSources()
    sources.containers.error = SourceUnreachable("Docker", "refused")
    seen(sources, ago=140)
    finding = await container_check.run(context(sources))
    assert finding.status is FindingStatus.CRITICAL
    assert finding.headline.startswith("not seen for 2 min")


async def test_no_series_either_is_unknown() -> None:
    """Not down: not known."""
    sources = FakeSources()
    sources.containers.error = SourceUnreachable("Docker", "refused")
    finding = await container_check.run(context(sources))
    assert finding.status is FindingStatus.UNKNOWN
    assert finding.why == f"nothing known of {NAME}; Docker: refused"


async def test_a_container_that_does_not_exist_is_critical() -> None:
    """The engine knows."""
    finding = await container_check.run(context(FakeSources()))
    assert finding.status is FindingStatus.CRITICAL
    assert finding.headline == "there is no such container (Docker)"


async def test_a_deploy_shortly_before_is_the_suspect() -> None:
    """What changed is the first question."""
    sources = FakeSources()
    sources.containers.hold(
        container(NAME, created_at=NOW - 21 * MINUTE, started_at=NOW - 21 * MINUTE, image="bot:2"),
        container("hbot-grafana", created_at=NOW - 50 * MINUTE, started_at=NOW - 50 * MINUTE),
    )
    sources.containers.past = [
        event("start", NAME, ago=20 * HOUR, image="bot:1"),
        event("create", NAME, ago=21 * MINUTE, image="bot:2"),
    ]
    finding = await changes.run(context(sources))
    assert finding.status is FindingStatus.WARNING
    assert finding.headline == f"{NAME} new image bot:2 (was bot:1) at 02:55, 17 min before it began"
    assert finding.details == ("hbot-grafana created from bot:1 at 02:26, 46 min before it began",)
    assert finding.data["changes"][0]["seconds_before"] == 17 * 60


async def test_an_old_desk_has_no_changes() -> None:
    """Three days ago is not lately."""
    sources = FakeSources()
    sources.containers.hold(container(NAME), container("hbot-redis", status="exited"))
    finding = await changes.run(context(sources))
    assert (finding.status, finding.headline) == (FindingStatus.OK, "nothing changed in 24 h")
    assert finding.data["down"] == ["hbot-redis"]


async def test_another_s_change_is_told_but_no_suspect() -> None:
    """It is in the details."""
    sources = FakeSources()
    other = container("hbot-grafana", created_at=NOW - HOUR, started_at=NOW - HOUR)
    sources.containers.hold(container(NAME), other)
    finding = await changes.run(context(sources))
    assert (finding.status, finding.headline) == (FindingStatus.OK, "nothing of it in the 2 h before")
    assert finding.details[0].startswith("hbot-grafana created")


async def test_of_many_containers_only_those_are_inspected_that_the_list_leaves_open() -> None:
    """What is down, young, unhealthy, missing or being replaced is looked at; what has long been up is as listed."""
    sources, bots = FakeSources(), tuple(f"bot{n}" for n in range(1, 21))
    for bot in bots[:-1]:
        sources.containers.hold(replace(container(f"hbot-{bot}"), long_up_seconds=7200.0, started_at=None))
    sources.containers.hold(
        container("hbot-bot1", status="exited", exit_code=1), container("hbot-bot2", started_at=NOW - MINUTE)
    )
    finding = await container_check.run(
        replace(context(sources), containers=tuple(f"hbot-{bot}" for bot in bots))
    )
    asked = [question for question in sources.containers.asked if question.startswith("inspect")]
    assert asked == ["inspect hbot-bot1", "inspect hbot-bot2", "inspect hbot-bot20"]
    told = finding.data["containers"]
    assert (told["hbot-bot1"]["running"], told["hbot-bot1"]["exit_code"]) == (False, 1)
    assert told["hbot-bot2"]["up_seconds"] == 60
    assert (told["hbot-bot3"]["running"], told["hbot-bot3"]["up_seconds"]) == (True, 7200)
    assert told["hbot-bot3"]["restarts"] is None
    assert "hbot-bot3: up 2 h (Docker)" in finding.details


async def test_an_entry_of_the_list_that_cannot_be_read_costs_itself_alone() -> None:
    """The others are told; of its container nothing is concluded from the list: it is asked for itself."""
    sources, bots = FakeSources(), tuple(f"bot{n}" for n in range(1, 21))
    for bot in bots:
        sources.containers.hold(replace(container(f"hbot-{bot}"), long_up_seconds=7200.0))
    entries = [*sources.containers.held.values()]
    entries[4] = unread_container(entries[4].name)
    entries.append(unread_container())
    sources.containers.entries = entries
    about = replace(context(sources), containers=tuple(f"hbot-{bot}" for bot in bots))
    finding = await container_check.run(about)
    assert finding.data["containers"]["hbot-bot5"]["running"] is True
    assert "inspect hbot-bot5" in sources.containers.asked
    changed = await changes.run(about)
    assert changed.status is FindingStatus.UNKNOWN
    assert changed.why == "2 of the 21 containers of the engine's list cannot be read"
    assert changed.data["down"] == []


async def test_a_crash_in_the_last_hour_is_seen_whatever_the_list_says() -> None:
    """The engine's events are asked for all of them at once."""
    sources, names = FakeSources(), tuple(f"hbot-bot{n}" for n in range(1, 21))
    sources.containers.hold(*(replace(container(name), long_up_seconds=7200.0) for name in names))
    sources.containers.past = [event("die", names[4], ago=MINUTE * 9, code=1)]
    finding = await container_check.run(replace(context(sources), containers=names))
    assert finding.data["containers"][names[4]]["restarts_hour"] == 1
    assert finding.status is FindingStatus.WARNING
