"""Click → modal → confirm → effect on real containers → verification → thread, and every way that must lead nowhere."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from demo.slack import Message, payloads
from demo.slack.actor import _action
from tests.bot.desk import archives
from tests.flows.doing import ask, confirm, ended, messages, modal
from tests.flows.harness import CHANNEL, Harness, running_harness, shown
from tests.servers.desk import Desk

Require = Callable[..., Path]
ACTIONS = ["clear_cache", "rollback"]


@dataclass
class Scene:
    """The harness beside a desk whose bot1 is in hard_stop, and the incident's card with its buttons."""

    harness: Harness
    desk: Desk
    card: Message

    async def fresh_card(self) -> Message:
        """Return the card as it is now."""
        return next(card for card in self.harness.cards() if card.ts == self.card.ts)

    def message(self, words: str) -> Message | None:
        """Return the newest message of the thread that says these words."""
        found = [one for one in self.harness.slack.thread(self.card) if words in shown(one)]
        return found[-1] if found else None


@pytest.fixture
async def scene(require: Require, desk: Desk, tmp_path: Path) -> AsyncIterator[Scene]:
    """Run everything: bot1 up, an incident about it, triaged, with buttons."""
    await desk.up("bot1", "grafana")
    settings: dict[str, Any] = {
        "roles": {"operator": {"users": ["U0ANA00001", "U0BEN00001"]}, "approver": {"users": ["U0BEN00001"]}},
        "actions": {"rollback": {"confirmations": 2}},
        "paths": {
            "compose": str(desk.compose_folder),
            "env": str(desk.env_file),
            "data": str(desk.data),
            "backups": str(desk.backups),
        },
        "compose": {"command": desk.compose_command},
        "triage": {"verify_after_seconds": 1, "health_watch_seconds": 30, "deadline_seconds": 2},
    }
    environment = {"DOCKER_HOST": desk.engine.host}
    async with running_harness(
        require, tmp_path / "harness", desk=settings, environment=environment
    ) as harness:
        harness.exporter.set("bot1", state="hard_stop")
        card = await harness.card(lambda card: "hard stop" in card.text)
        scene = Scene(harness, desk, card)
        ana = harness.slack.member("ana")
        await harness.until(lambda: any("Triage" in line for line in harness.thread(card)), "the triage")
        for kind in ACTIONS:  # no cause proposes them: a person asks for them, and they stand on the card
            await ana.command(f"/triage do {kind} bot1")
            await ana.sees_modal("confirm_action", 15)
            await ana.close(cleared=True)
        await harness.choose("ana", await scene.fresh_card(), "retriage")
        await harness.until(
            lambda: all(f"action.{kind}" in str(harness.cards()[0].blocks) for kind in ACTIONS), "the buttons"
        )
        yield scene


async def test_clear_cache_from_the_click_to_recovered(scene: Scene) -> None:
    """The modal shows the command lines, the bot is recreated once, its state is back, the incident is mitigated."""
    harness, desk, ana = scene.harness, scene.desk, scene.harness.slack.member("ana")
    before = (await desk.container("bot1"))["Id"]
    desk.write_controller("# release 2\n")

    outcome = await ana.click(await scene.fresh_card(), "action.clear_cache")
    assert outcome.acked
    assert outcome.seconds < 1
    body = await modal(scene.harness, "ana", "--force-recreate")
    assert "docker exec hbot-bot1 rm -rf /home/hummingbot/controllers/__pycache__" in body
    assert "touch any other service" in body
    submitted = await ana.submit({"reason": "stale controller after the deploy"})
    assert submitted.acked
    harness.exporter.set("bot1", state="running")  # not before: on a resolved incident nothing is done

    await harness.until(lambda: scene.message("Verified: recovered"), "recovered", seconds=60)
    message = scene.message("Verified: recovered")
    assert message is not None
    text = shown(message)
    assert "stale controller after the deploy" in text
    assert "@ana" in text
    assert "Succeeded" in text
    assert (await desk.container("bot1"))["Id"] != before
    lines = " ".join(harness.thread(scene.card))
    assert lines.count("Clear cache on bot1") >= 1
    actions = [one for one in harness.slack.thread(scene.card) if one.text.startswith("Clear cache on bot1:")]
    assert len(actions) == 1, "one message, edited as it runs"
    assert actions[0].edited_ts


async def test_a_rollback_takes_two_different_people(scene: Scene) -> None:
    """Ana cannot be her own second; Ben sees the very plan and lets it run; then archives that must not be used."""
    harness, desk = scene.harness, scene.desk
    ana, ben = harness.slack.member("ana"), harness.slack.member("ben")
    log = await desk.logged("bot1")
    await ana.click(await scene.fresh_card(), "action.rollback")
    body = await modal(scene.harness, "ana", "pre-rollback")
    assert "2 different people" in body
    await ana.click(None, "action_choice", "bot1_20260219_040000.tar.gz", block_id="choice.snapshot")
    await modal(scene.harness, "ana", "backups/bot1_20260219_040000.tar.gz")
    assert (await ana.submit({"reason": "the release of tonight"})).acked
    await harness.until(lambda: scene.message("Waits for a second person"), "the wait for the second")
    waiting = scene.message("Waits for a second person")
    assert waiting is not None
    assert '"now"' in (desk.data / "bot1/data/state.json").read_text()

    await ana.click(waiting, "action.rollback")
    await harness.until(lambda: harness.slack.ephemerals(CHANNEL, "ana"), "ana is no approver")
    await ben.click(waiting, "action.rollback")
    await modal(scene.harness, "ben", "backups/bot1_20260219_040000.tar.gz")
    assert (await ben.submit({"reason": "agreed"})).acked
    harness.exporter.set("bot1", state="running")
    await harness.until(lambda: scene.message("Succeeded"), "the rollback", seconds=60)
    assert "20260219" in (desk.data / "bot1/data/state.json").read_text()
    assert desk.log("bot1").startswith(log)
    done = scene.message("Succeeded")
    assert done is not None
    assert "Undo" in str(done.blocks)
    await _bad_archives(scene)


async def _bad_archives(scene: Scene) -> None:
    """A damaged archive and one that climbs out cannot be confirmed; one that was exchanged since fails at step 1."""
    harness, desk, ana = scene.harness, scene.desk, scene.harness.slack.member("ana")
    damaged, hostile, sound = (desk.backups / f"bot1_202602{day}_040000.tar.gz" for day in (18, 20, 19))
    damaged.write_bytes(damaged.read_bytes()[:-40])
    archives.write(hostile, [*archives.sound(), archives.member("bot1/../evil.txt")])
    runs = (await desk.container("bot1"))["State"]["StartedAt"]
    state = (desk.data / "bot1/data/state.json").read_text()
    await ask(harness, "rollback bot1", "Preconditions")
    for bad, words in ((damaged, "is damaged"), (hostile, "is not safe")):
        await ana.click(None, "action_choice", bad.name, block_id="choice.snapshot")
        await modal(harness, "ana", words)
        assert ana.modal is not None
        assert "submit" not in ana.modal.body
    await ana.click(None, "action_choice", sound.name, block_id="choice.snapshot")
    await modal(harness, "ana", f"verify backups/{sound.name}")
    await confirm(harness, "ana", "back once more")
    await ended(harness, "Rollback on bot1", "back once more", "Waits for a second person")
    [waiting] = [one for one in messages(harness, "Waits for a second person") if "once more" in shown(one)]
    archives.write(sound, archives.sound())
    await harness.slack.member("ben").click(waiting, "action.rollback")
    await modal(harness, "ben", "back once more")
    await confirm(harness, "ben", "agreed again")
    await ended(
        harness,
        "Rollback on bot1",
        "back once more",
        "Failed",
        "step 1:",
        "checksum",
        "nothing else was done",
    )
    assert (await desk.container("bot1"))["State"]["StartedAt"] == runs
    assert (desk.data / "bot1/data/state.json").read_text() == state
    assert not list(desk.root.rglob("evil*"))


async def test_who_may_not_what_is_forged_and_what_is_stale_do_nothing(scene: Scene) -> None:
    """A viewer, two operators at once, a forged handle, a press after it ran: answered politely, and nothing twice."""
    harness, desk = scene.harness, scene.desk
    ana, vik = harness.slack.member("ana"), harness.slack.member("vik")
    card = await scene.fresh_card()
    before = (await desk.container("bot1"))["State"]["StartedAt"]
    stale = _button(harness, card)

    await vik.click(card, "action.clear_cache")
    await harness.until(lambda: harness.slack.ephemerals(CHANNEL, "vik"), "vik is refused")
    assert "may not" in shown(harness.slack.ephemerals(CHANNEL, "vik")[0])
    assert vik.modal is None
    assert (await desk.container("bot1"))["State"]["StartedAt"] == before

    await _race(scene, card)
    await harness.until(lambda: scene.message("Succeeded"), "the action", seconds=60)
    once = (await desk.container("bot1"))["State"]["StartedAt"]
    assert once != before

    await _press(harness, card, stale)  # the button of the old card
    await modal(scene.harness, "ana", "was done already")
    assert ana.modal is not None
    assert "submit" not in ana.modal.body

    await _press(harness, card, {**stale, "value": "made-up-handle"})
    await harness.until(
        lambda: any(
            "do not know this button" in shown(one) for one in harness.slack.ephemerals(CHANNEL, "ana")
        ),
        "an answer to the forged value",
    )
    assert (await desk.container("bot1"))["State"]["StartedAt"] == once


async def _race(scene: Scene, card: Message) -> None:
    """Two operators have the form before them and confirm at the same moment: one does, the other is told."""
    people = {name: scene.harness.slack.member(name) for name in ("ana", "ben")}
    for name, person in people.items():
        await person.click(card, "action.clear_cache")
        await modal(scene.harness, name, "--force-recreate")
    outcomes = await asyncio.gather(
        *(person.submit({"reason": f"{name} was first"}) for name, person in people.items())
    )
    assert all(outcome.acked for outcome in outcomes)
    told = {name: str(person.modal.body) for name, person in people.items() if person.modal is not None}
    [winner] = [name for name, text in told.items() if "It runs now" in text]
    [loser] = [name for name, text in told.items() if "Nothing was done" in text]
    assert winner != loser
    for person in people.values():
        await person.close(cleared=True)
    await scene.harness.until(lambda: scene.message(f"{winner} was first"), "the winner's reason")
    assert scene.message(f"{loser} was first") is None


def _button(harness: Harness, card: Message) -> dict[str, Any]:
    """Return what a press of the button sends: a client that did not look again still sends the same."""
    block, element = harness.slack.member("ana")._element(card, "action.clear_cache", None)
    return _action(block, element, None)


async def _press(harness: Harness, card: Message, action: dict[str, Any]) -> None:
    """Press a button that may not be on the card any more, or never was."""
    user = harness.slack.member("ana").user
    await harness.slack.delivery.interactive(payloads.message_action(harness.slack, user, card, action, {}))


async def test_the_service_killed_in_the_middle_says_unknown_in_the_thread(scene: Scene) -> None:
    """SIGKILL while compose works: the next start says how far it came and what is true, and runs nothing again."""
    harness, ana = scene.harness, scene.harness.slack.member("ana")
    await ana.click(await scene.fresh_card(), "action.clear_cache")
    await modal(scene.harness, "ana", "--force-recreate")
    assert (await ana.submit({"reason": "to see it die"})).acked
    await harness.until(lambda: scene.message("◐ 2 recreate bot1"), "the second step to run")
    harness.bot.kill()
    await harness.bot.start()
    await harness.until(lambda: scene.message("the service stopped"), "the thread says unknown", seconds=30)
    await harness.until(
        lambda: scene.message("Not well yet") or scene.message("Verified:"), "what is true now", seconds=40
    )
    message = scene.message("the service stopped")
    assert message is not None
    assert "Unknown" in shown(message)
    assert "Clear cache on bot1" in str(message.blocks), "a way to go on"
