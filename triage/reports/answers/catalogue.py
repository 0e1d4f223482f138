"""``actions``: what can be done, and what was done lately."""

from __future__ import annotations

from triage.actions.base import TargetKind
from triage.actions.catalogue import CATALOGUE
from triage.actions.notifications import confirmed_by
from triage.plans.record import ActionRecord, ActionStatus
from triage.plans.verification_words import verified_words
from triage.ports.chat import Answer, Line, Mark, section
from triage.ports.store import Tx
from triage.reports.answers.context import AnswerContext
from triage.wording import duration

LATELY = 8
MARKS = {
    ActionStatus.SUCCEEDED: Mark.GOOD,
    ActionStatus.FAILED: Mark.BAD,
    ActionStatus.UNKNOWN: Mark.UNKNOWN,
    ActionStatus.RUNNING: Mark.WARN,
    ActionStatus.CONFIRMED: Mark.WARN,
}


async def actions(ctx: AnswerContext) -> Answer:
    """List the catalogue, and the actions that were confirmed lately."""
    return await ctx.store.read(lambda tx: _answer(ctx, tx))


def _answer(ctx: AnswerContext, tx: Tx) -> Answer:
    lately = [record for record in tx.actions.recent(50) if record.status in MARKS][:LATELY]
    kinds = [_kind(ctx, name) for name in CATALOGUE]
    done = [_done(ctx, tx, record) for record in lately]
    return Answer(
        "What can be done",
        tuple(part for part in (section(kinds), section(done, "Lately")) if part.lines),
        note="For instance: /triage do restart bot1. A form shows every step before anything happens.",
    )


def _kind(ctx: AnswerContext, name: str) -> Line:
    action = CATALOGUE[name]
    policy = ctx.desk.policy(action.kind)
    two = ", two people confirm" if policy.confirmations > 1 else ""
    target = "" if action.target_kind is TargetKind.DESK else f" <{action.target_kind}>"
    return Line(f"{action.description} ({policy.role}{two})", code=f"{name}{target}")


def _done(ctx: AnswerContext, tx: Tx, record: ActionRecord) -> Line:
    at = record.finished_at or record.changed_at
    since = duration((ctx.clock.now() - at).total_seconds())
    by = f" by {confirmed_by(tx, record)}" if record.confirmations else ""
    verified = f", {verified_words(record)}" if record.verification is not None else ""
    return Line(
        f"on {record.target}{by}: {record.status}{verified} · {since} ago",
        name=record.kind.replace("_", " "),
        mark=MARKS[record.status],
    )
