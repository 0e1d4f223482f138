"""What the agent may do: decided from its own desk.yaml and its own record, never from what the bot says is true.

Pure: ``Known`` is what the record tells, ``now`` an argument. A reason is a sentence for people; an empty one is a yes.

The catalogue of actions is imported when the first plan is judged: an idle agent is small, and soon ready.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import TypeAdapter

from bot.agent.people import why_not_person
from bot.agent.record import RecordEntry
from triage.desk import Desk
from triage.desk_sections.roles import RoleSettings
from triage.errors import Refused
from triage.masking import masked_and_cut
from triage.model import Json
from triage.plans.agent_orders import Order, digest_of, fit
from triage.plans.plan import DESK
from triage.ports.actions import ShownPlan
from triage.wording import duration

CONFIRM_WITHIN = timedelta(minutes=35)
"""Between the first and the last confirmation; a proposal lives for 30 minutes."""
BEGIN_WITHIN = timedelta(minutes=10)
"""From the last confirmation to the first step."""
QUIET = timedelta(minutes=15)
"""An action of which nothing was reported for so long is over: longer than the longest step takes."""
NIGHTLY = timedelta(hours=12)
"""Between two nightly snapshots of a bot: whoever asks more often would push the old ones out."""
HOUR = timedelta(hours=1)
ANCHORED_LINES = 100_000
"""Lines of an hour by which the audit trail may grow: one head that is out of reach would make the true trail look cut."""

_ORDERS: TypeAdapter[tuple[tuple[int, Order], ...]] = TypeAdapter(tuple[tuple[int, Order], ...])


@dataclass(slots=True)
class Known:
    """One action as the agent knows it. ``steps``: begun | done | failed | unknown, by number."""

    token: str
    kind: str
    target: str
    orders: tuple[tuple[int, Order], ...]
    digest: str
    at: datetime
    actors: dict[str, datetime] = field(default_factory=dict)
    """Who confirmed and when, in their order; who did too long before the newest one does not count any more."""
    steps: dict[int, str] = field(default_factory=dict)
    over: bool = False

    @property
    def begun(self) -> bool:
        """Something of it was begun."""
        return bool(self.steps)

    def confirmed_by(self, now: datetime) -> list[str]:
        """Return who confirmed, as far as it counts for somebody who confirms now."""
        # Nor counts what lies ahead, as after a clock that was set back: how long ago it was nobody knows.
        return [who for who, then in self.actors.items() if abs(now - then) <= CONFIRM_WITHIN]

    def order(self, number: int) -> Order | None:
        """Return the order of a step."""
        return dict(self.orders).get(number)

    def holds(self, target: str, now: datetime) -> bool:
        """Whether this action is under way and excludes another one on ``target``.

        A step that is being done does, also of an action that is over: the bot that ended it may have been killed
        meanwhile and know nothing of it. Every step ends: a start of the agent ends those of its former life.
        """
        same = DESK in {target, self.target} or self.target == target
        reported = self.begun and not self.over and now - self.at < QUIET
        return same and (reported or "begun" in self.steps.values())


@dataclass(slots=True)
class Knowledge:
    """All that the record tells: actions by token, when actions began, nightly snapshots, the audit trail's head."""

    actions: dict[str, Known] = field(default_factory=dict)
    begun_at: list[datetime] = field(default_factory=list)
    nightly: dict[str, datetime] = field(default_factory=dict)
    anchor: tuple[int, str] = (0, "")
    anchored_from: tuple[datetime, int] | None = None
    """When the hour of anchors began, and where the trail ended then."""
    _cleared: datetime | None = None

    def learn(self, entry: RecordEntry) -> None:
        """Take note of a line of the record."""
        about, at = entry.about, entry.at
        match entry.what:
            case "confirmed":
                self._confirmed(about, at)
            case "begun" | "done" | "failed" | "unknown":
                self._stepped(entry.what, about, at)
            case "over":
                if (known := self.actions.get(about["action"])) is not None:
                    known.over = True
            case "nightly":
                self.nightly[about["bot"]] = at
            case "anchored":
                self._anchored(about["sequence"], about["digest"], at)
            case _:
                pass  # told for people: a refusal, a start

    def _confirmed(self, about: Mapping[str, Json], at: datetime) -> None:
        known = self.actions.get(about["action"])
        if known is None or known.digest != about["digest"]:
            orders = _ORDERS.validate_python(about["orders"])
            known = Known(
                token=about["action"],
                kind=about["kind"],
                target=about["target"],
                orders=orders,
                digest=about["digest"],
                at=at,
            )
            self.actions[known.token] = known
        known.at = at
        known.actors = {who: known.actors[who] for who in known.confirmed_by(at)}
        known.actors[about["actor"]] = at
        self._forget(at)

    def _forget(self, now: datetime) -> None:
        """Drop plans that can be begun no more: whoever asks for one after the other must not fill the memory."""
        if self._cleared is not None and now - self._cleared < CONFIRM_WITHIN:
            return
        self._cleared = now
        self.actions = {
            token: one for token, one in self.actions.items() if one.begun or now - one.at <= CONFIRM_WITHIN
        }

    def _anchored(self, sequence: int, digest: str, at: datetime) -> None:
        if self.anchored_from is None or at - self.anchored_from[0] >= HOUR:
            self.anchored_from = (at, self.anchor[0] or sequence)
        self.anchor = (sequence, digest)

    def _stepped(self, what: str, about: Mapping[str, Json], at: datetime) -> None:
        known = self.actions[about["action"]]
        if what == "begun" and not known.begun:
            self.begun_at.append(at)
        known.steps[about["step"]] = what
        known.at = at

    def interrupted(self) -> list[tuple[str, int]]:
        """Return the steps that were begun and of which no end is recorded: the agent was killed during them."""
        return [
            (known.token, number)
            for known in self.actions.values()
            for number, state in known.steps.items()
            if state == "begun"
        ]


def about_confirmation(shown: ShownPlan) -> dict[str, Json]:
    """Return what is recorded of a confirmation."""
    return {
        "action": shown.token,
        "kind": shown.kind,
        "target": shown.target,
        "orders": _ORDERS.dump_python(shown.orders, mode="json"),
        "digest": shown.digest,
        "actor": shown.actor,
        "reason": masked_and_cut(shown.reason, 500),
    }


def why_not_confirm(
    desk: Desk, known: Knowledge, shown: ShownPlan, now: datetime, *, apart: bool = True, proven: bool = False
) -> str:
    """Return why a plan would not be carried out although this person confirms it.

    ``apart`` False: the bot is in the same process and asked for the role itself; here only names are compared.
    ``proven``: Slack's signature is asked for as well.
    """
    from triage.actions.catalogue import find  # noqa: PLC0415 - see above

    try:
        action = find(desk, shown.kind, shown.target)
    except Refused as refusal:
        return str(refusal)
    if not desk.agent.allows(shown.kind):
        return f"{shown.kind} is not among agent.kinds of desk.yaml"
    numbers = [number for number, _ in shown.orders]
    orders = [order for _, order in shown.orders]
    if numbers != sorted(set(numbers)) or not fit(orders, action.allowed(desk, shown.target)):
        return f"this is no plan of {shown.kind} on {shown.target} as desk.yaml here has it"
    before = known.actions.get(shown.token)
    actors = before.confirmed_by(now) if before is not None and before.digest == shown.digest else []
    if (apart or desk.roles != RoleSettings()) and (
        why := why_not_person(desk, shown.kind, shown.actor, actors, apart=apart, proven=proven)
    ):
        return why
    if before is not None and (before.begun or before.over):
        return "this action was begun already; it is not done a second time"
    return why_too_many(desk, known, now)


def why_too_many(desk: Desk, known: Knowledge, now: datetime) -> str:
    """Return why no further action is begun in this hour."""
    lately = sum(now - at < HOUR for at in known.begun_at)
    if lately < desk.agent.actions_per_hour:
        return ""
    return (
        f"{lately} actions were begun within an hour, and agent.actions_per_hour of desk.yaml allows no more"
    )


def why_not_step(desk: Desk, known: Knowledge, token: str, number: int, now: datetime) -> str:
    """Return why a step is not carried out."""
    action = known.actions.get(token)
    if action is None:
        return "I was not shown the plan of this action when it was confirmed"
    if action.over:
        return "this action is over"
    if action.order(number) is None:
        return f"the plan that was confirmed has nothing for the agent in step {number}"
    if number in action.steps:
        return f"step {number} was begun already; it is not done a second time"
    needed = desk.policy(action.kind).confirmations
    if len(action.actors) < needed:
        return f"{len(action.actors)} of {needed} people confirmed it"
    return _why_not_now(desk, known, action, number, now)


def _why_not_now(desk: Desk, known: Knowledge, action: Known, number: int, now: datetime) -> str:
    for earlier, _ in action.orders:
        if earlier < number and action.steps.get(earlier) != "done":
            return f"step {earlier} comes before, and it is {action.steps.get(earlier, 'not done')}"
    waited = now - action.at if action.begun else abs(now - action.at)
    if waited > (QUIET if action.begun else BEGIN_WITHIN):
        return f"nothing was reported of it for {duration(waited.total_seconds())}"
    for other in known.actions.values():
        if other.token != action.token and other.holds(action.target, now):
            return f"{other.kind} on {other.target} is under way; one action at a time"
    return "" if action.begun else why_too_many(desk, known, now)


def why_not_nightly(known: Knowledge, desk: Desk, bot: str, now: datetime) -> str:
    """Return why no nightly snapshot is taken."""
    if desk.bot(bot) is None:
        return f"{bot!r} is no bot of desk.yaml here"
    last = known.nightly.get(bot)
    if last is not None and now - last < NIGHTLY:
        return f"the last one of {bot} is {duration((now - last).total_seconds())} old: one in 12 h"
    return ""


def why_not_anchor(known: Knowledge, sequence: int, digest: str) -> str:
    """Return why the head of the audit trail is not taken: a trail only grows."""
    last, was = known.anchor
    if sequence < last or (sequence == last and digest != was):
        return (
            f"the audit trail had {last} entries already when it was anchored last: something of it is gone"
        )
    return ""


def why_too_far(known: Knowledge, sequence: int, now: datetime) -> str:
    """Return why a head is further than any trail can have got; empty for the first one of a record."""
    if known.anchored_from is None:
        return ""
    began, base = known.anchored_from
    most = (base if now - began < HOUR else known.anchor[0]) + ANCHORED_LINES * (
        1 + max(0.0, (now - began) / HOUR)
    )
    if sequence <= most:
        return ""
    return (
        f"the audit trail had {known.anchor[0]} lines when it was anchored last, and {sequence} is further than "
        f"{ANCHORED_LINES} lines an hour"
    )


def kinds_that_touch(desk: Desk) -> Iterable[str]:
    """Return the kinds of actions whose plans have orders."""
    from triage.actions.catalogue import CATALOGUE  # noqa: PLC0415 - see above

    for kind, action in CATALOGUE.items():
        target = DESK if action.target_kind == "desk" else desk.bots[0].name if desk.bots else ""
        if action.allowed(desk, target):
            yield kind


__all__ = ["Knowledge", "Known", "digest_of", "why_not_confirm", "why_not_step"]
