"""What was deployed shortly before is broken."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.log_words import CODE, FRESH, hits
from triage.diagnosis.weighing import Weighing, propose
from triage.wording import duration

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.facts import Facts
    from triage.model import Cause


_SOON_SECONDS = 2 * 3600.0
_MANY = 5


def rule(facts: Facts) -> Iterable[Cause]:
    """A new image or container shortly before, and errors that were not there before it."""
    for bot in facts.bots:
        weighing = Weighing(facts)
        changed = _change(facts, bot, weighing)
        if not changed:
            continue
        code = hits(facts, bot, CODE)
        fresh = [each for each in facts.templates(bot) if each["kind"] in FRESH]
        if code.fresh:
            weighing.add(0.35, f"{bot} logs: {code.loudest}", "error_logs")
        elif sum(each["count"] for each in fresh) >= _MANY:
            weighing.add(0.45, f"errors that were not there before: {fresh[0]['text'][:120]}", "error_logs")
        if facts.state(bot).get("state") == "hard_stop":
            weighing.add(0.1, f"{bot} is in hard_stop", "bot_state")
        if facts.container(facts.desk.container_of(bot)).get("looping"):
            weighing.add(0.3, "it cannot stay up", "container")
        if facts.data("bytecode").get("bots", {}).get(bot, {}).get("controller_stale"):
            weighing.against(0.5, "it does not even run the new controller", "bytecode")
        if not fresh and facts.answered("error_logs"):
            weighing.against(0.6)
        weighing.needs("changes", "error_logs")
        yield from weighing.cause(
            "bad_release",
            f"What was deployed to {bot} shortly before is broken.",
            "Roll back to the last known-good image or configuration, then read the new errors in peace.",
            # What was changed is what is taken back: the form opens with it.
            propose(
                "rollback",
                (bot,),
                "the trouble began right after a deploy",
                **({"what": "image"} if changed == "image" else {}),
            ),
        )


def _change(facts: Facts, bot: str, weighing: Weighing) -> str:
    """Return what was done to the bot's container before the trouble: image | created; empty for neither."""
    container = facts.desk.container_of(bot)
    for change in facts.data("changes").get("changes", ()):
        before = change["seconds_before"]
        if change["container"] != container or not 0 <= before <= _SOON_SECONDS:
            continue
        if change["what"] == "image":
            weighing.add(0.5, f"new image {change['image']} {duration(before)} before", "changes")
            return "image"
        if change["what"] == "created":
            weighing.add(0.35, f"{container} recreated {duration(before)} before", "changes")
            return "created"
    return ""
