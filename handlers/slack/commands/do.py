"""``do``: opens an action's confirm form; the action's own policy says who may."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from handlers.slack.command import Call, Command, CommandServices
from handlers.slack.command_line import at_most
from triage.action_kinds import KINDS
from triage.actions.base import TargetKind
from triage.actions.catalogue import CATALOGUE, targets
from triage.errors import Refused
from triage.plans.plan import DESK
from triage.ports.chat import Answer
from triage.untrusted_text import one_line
from triage.wording import nearest, together

_LINKING = frozenset({"on", "the", "of", "to", "in", "for"})
"""What stands between an action and its target in a sentence."""


async def _run(services: CommandServices, call: Call, words: tuple[str, ...]) -> Answer | None:
    if not words:
        raise Refused("Do what? For instance: /triage do restart bot1. /triage actions lists all.")
    kind, rest = _parted(tuple(" ".join(words).split()))
    if kind not in KINDS:
        like = nearest(kind, KINDS)
        mend = f"did you mean {like}?" if like else "/triage actions lists all."
        raise Refused(f"There is no action {kind[:40]!r}; {mend}")
    if not rest and CATALOGUE[kind].target_kind is not TargetKind.DESK:
        example = next(iter(services.answer_context.bots), "bot1")
        raise Refused(f"{kind} to what? For instance: /triage do {kind} {example}")
    rest = _target_words(rest, targets(services.answer_context.desk, CATALOGUE[kind].target_kind))
    target = rest[0] if rest else DESK
    at_most(rest, 1, f"/triage do {kind} {one_line(target, 40)}")
    return await services.do(call, kind, target)


def _parted(words: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """Return the action and what is behind it; ``clear cache`` and ``Clear-cache`` are ``clear_cache``."""
    for count in (3, 2, 1):
        kind = "_".join(words[:count]).lower().replace("-", "_")
        if kind in KINDS and len(words) >= count:
            return kind, words[count:]
    return words[0].lower(), words[1:]


def _target_words(words: Sequence[str], known: Collection[str]) -> tuple[str, ...]:
    """Return what stands for the target; ``on the Bot 1`` is ``bot1``."""
    return together([word for word in words if word in known or word.lower() not in _LINKING], known)


COMMAND = Command(
    word="do",
    usage="do <action> <target>",
    description="plan an action; a form shows every step before anything happens",
    run=_run,
    place=11,
)
