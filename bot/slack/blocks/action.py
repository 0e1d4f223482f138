"""An action's one message, edited as it lives: who, why, a step a line, the verification, what can be pressed now."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from bot.slack.blocks import kit
from bot.slack.blocks.card import Names
from bot.slack.blocks.kit import Style, leaf, untrusted
from bot.slack.blocks.shortening import shorter
from bot.slack.blocks.symbols import dangerous
from bot.slack.blocks.times import seconds_between, when
from bot.slack.rendered import Rendered
from triage.actions.catalogue import action_title
from triage.actions.verification import NOT_SEEN
from triage.actions.view import ActionView, elapsed
from triage.model import Json
from triage.plans.record import ActionRecord, ActionStatus, StepRecord, StepStatus
from triage.plans.verification import Compared, VerificationOutcome
from triage.plans.verification_words import verified_words
from triage.untrusted_text import one_line, shown
from triage.wording import duration

SIGN = {
    StepStatus.PENDING: "·",
    StepStatus.RUNNING: "◐",
    StepStatus.DONE: "✓",
    StepStatus.FAILED: "✗",
    StepStatus.SKIPPED: "–",  # noqa: RUF001 - a dash for what was left out
    StepStatus.UNKNOWN: "?",
}
STATUS = {
    ActionStatus.PROPOSED: "🟡 Waits for a second person",
    ActionStatus.CONFIRMED: "🟡 Confirmed",
    ActionStatus.RUNNING: "🔵 Running",
    ActionStatus.SUCCEEDED: "🟢 Succeeded",
    ActionStatus.FAILED: "🔴 Failed",
    ActionStatus.UNKNOWN: "⚪ Unknown",
    ActionStatus.REJECTED: "⛔ Rejected",
    ActionStatus.EXPIRED: "⌛ Expired",
}
OUTCOME = {
    VerificationOutcome.RECOVERED: "🟢",
    VerificationOutcome.EFFECTIVE: "🟠",
    VerificationOutcome.PERSISTING: "🔴",
    VerificationOutcome.INCONCLUSIVE: "⚪",
}
GOOD = {True: "✓", False: "✗", None: "?"}
COMMAND, NOTE, OUTPUT, TAIL, ROW, OUTPUT_LINE = 300, 300, 700, 4, 60, 160
AT_WORK = frozenset({StepStatus.RUNNING, StepStatus.FAILED, StepStatus.UNKNOWN})
"""Of a step that runs or went wrong all is shown; what is done takes one line."""
BOT_STATE = "Bot state"
LONG = 300
"""Characters of a row that are compared, and shown where what differs stands at its end."""
_MOVES = re.compile(r"\d[\d.,]* (?:ms|s|min|h|d|days?|B|[kKMGT]i?B|%)(?: \d+ (?:s|min|h))?(?: old)?(?!\w)")
_IMAGE = re.compile(r", image \S+?(?=,|$)")
_BY = re.compile(r" \(Docker\)$| \(metrics\)$")
STEPS, VERIFIED = 5500, 3000

Line = Sequence[Json]


def action_message(view: ActionView, now: datetime, names: Names) -> Rendered:
    """Return an action's message as it is now."""
    record = view.record
    status = _status(record, now)
    head = [
        [leaf(f"{action_title(record.kind, record.target)}", bold=True), leaf(f"   {status}")],
        *_people(record, names),
    ]
    blocks = [
        kit.paragraph(head),
        kit.paragraph(kit.fitting(_step_lines(view.steps, now), STEPS)),
        _output(view.steps),
        kit.paragraph(kit.fitting(_verified(record), VERIFIED)),
        kit.small(_next(record, now)) if _next(record, now) else None,
        kit.actions("action_controls", _controls(view)),
        *_follow_ups(view.follow_ups),
    ]
    verified = f" · verified: {verified_words(record)}" if record.verification else ""
    return Rendered(
        text=kit.preview(f"{action_title(record.kind, record.target)}: {status}{verified}"),
        blocks=kit.present(blocks),
    )


def _status(record: ActionRecord, now: datetime) -> str:
    ran = f" · {elapsed(record, now):.0f} s" if record.started_at is not None else ""
    asked = ", asked to stop" if record.cancel_by and record.status is ActionStatus.RUNNING else ""
    return f"{STATUS[record.status]}{asked}{ran}"


def _people(record: ActionRecord, names: Names) -> list[list[Json]]:
    lines = [
        [
            leaf(f"confirmed by {names(one.actor)} {when(one.at, one.at)}: "),
            untrusted(f"“{one.reason}”", NOTE),
        ]
        for one in record.confirmations
    ]
    if record.outcome and record.status is not ActionStatus.SUCCEEDED:
        lines.append([untrusted(record.outcome, 600, bold=True)])
    return lines


def _step_lines(steps: Sequence[StepRecord], now: datetime) -> list[Line]:
    lines: list[Line] = []
    for step in steps:
        took = ""
        if step.started_at is not None:
            seconds = seconds_between(step.started_at, step.finished_at or now)
            took = f"   {seconds:.1f} s"
        label = f"{step.number} " if step.number else ""
        line = [leaf(f"{SIGN[step.status]} {label}{one_line(step.title, 120)}"), leaf(took or " ")]
        if step.note and step.status is not StepStatus.PENDING:
            line += [leaf("  · "), untrusted(step.note, NOTE)]
        lines.append(line)
        if step.shown and step.status in AT_WORK:  # of the others the form and Output have it
            lines.append([leaf("     "), kit.step_line(step.shown, COMMAND)])
    return lines


def _output(steps: Sequence[StepRecord]) -> Json | None:
    """Return the last lines of the step that runs or went wrong; all of it is behind the button."""
    step = next((step for step in reversed(steps) if step.status in AT_WORK and step.output.strip()), None)
    if step is None:
        return None
    tail = "\n".join(line[:OUTPUT_LINE] for line in shown(step.output, 4000).splitlines()[-TAIL:])
    return kit.preformatted(tail[-OUTPUT:], OUTPUT)


def _verified(record: ActionRecord) -> list[Line]:
    """Return what came of it: in a sentence, then only what changed or matters."""
    verification = record.verification
    if verification is None:
        return []
    said = verified_words(record)
    head = (
        f"◐ {said.capitalize()}"
        if record.looked_at_again
        else f"{OUTCOME[verification.outcome]} Verified: {said}"
    )
    lines: list[Line] = [[leaf(head, bold=True)]]
    if verification.why:
        lines.append([untrusted(verification.why, 500)])
    rows = _once(verification.rows)
    told = [row for row in rows if row_matters(row)]
    well = verification.outcome in {VerificationOutcome.RECOVERED, VerificationOutcome.EFFECTIVE}
    lines += [_compared(row, well=well) for row in told]
    if rest := len(rows) - len(told):
        lines.append([leaf(f"{rest} more as before" if told else f"{rest} looked at, all as before")])
    return lines


def _once(rows: Sequence[Compared]) -> list[Compared]:
    """Return the rows without the check of the bots' states where each bot has a row of its own, in words."""
    own = any(row.name.startswith("Bot ") and row.name != BOT_STATE for row in rows)
    return [row for row in rows if not (own and row.name == BOT_STATE)]


def row_matters(row: Compared) -> bool:
    """Whether a row is worth a line: not for an age or a size that moves all the time, where it is well."""
    before, after = one_line(row.before, LONG), one_line(row.after, LONG)
    if row.good:
        before, after = _MOVES.sub("#", before), _MOVES.sub("#", after)
    return row.good is False or before != after


def _compared(row: Compared, *, well: bool) -> Line:
    """Return a row; what is not good yet without deciding anything (errors of before, say) is no failure of it."""
    sign = "·" if well and not row.good else GOOD[row.good]
    name = [leaf(f"{sign} {one_line(row.name, 60)}: ", bold=True)]
    before, after = one_line(row.before, LONG), one_line(row.after, LONG)
    if before == after:
        return [*name, leaf(f"{shorter(after, ROW)}, as before")]
    if before == NOT_SEEN:
        return [*name, leaf(shorter(after, ROW))]
    before, after = _apart(before, after)
    return [*name, leaf(f"{after} (was: {before})")]


def _apart(before: str, after: str) -> tuple[str, str]:
    """Return both without what is the same in both and would be cut: an image that stays, who says it.

    Where the images differ both are shown whole: cut, two names of one image and two images look alike.
    """
    old, new = _IMAGE.search(before), _IMAGE.search(after)
    if old and new and old[0] == new[0]:
        before, after = _IMAGE.sub("", before), _IMAGE.sub("", after)
    source = _BY.search(after)
    if source and before.endswith(source[0]):
        before, after = before.removesuffix(source[0]), after.removesuffix(source[0])
    room = ROW if not (old and new) or old[0] == new[0] else LONG
    short = shorter(before, room), shorter(after, room)
    return short if short[0] != short[1] else (before, after)


def _next(record: ActionRecord, now: datetime) -> str:
    if record.awaits_second:
        have = f"{len(record.confirmations)} of {record.needed} people confirmed"
        return f"{have} · open until {when(record.expires_at, now)}"
    if record.verify_at is not None and record.verification is None:
        wait = seconds_between(now, record.verify_at)
        return f"verification {f'in {duration(wait)}' if wait else 'under way'}"
    if record.verify_at is not None and record.verify_until is not None and not record.looked_at_again:
        return f"watched until {when(record.verify_until, now)}"
    return ""


def _controls(view: ActionView) -> list[Json]:
    record = view.record
    row = []
    if record.awaits_second:
        row.append(kit.button("Confirm as second…", f"action.{record.kind}", record.handle, "primary"))
        row.append(kit.button("Reject", "action_reject", record.handle))
    if record.status in {ActionStatus.RUNNING, ActionStatus.CONFIRMED} and not record.cancel_by:
        row.append(kit.button("Cancel", "action_cancel", record.handle))
    if any(step.output.strip() for step in view.steps):
        row.append(kit.button("Output", "action_output", record.handle))
    return row


def _follow_ups(records: Sequence[ActionRecord]) -> list[Json | None]:
    """Return a row a follow-up with why: the undo, the way out, another try."""
    found: list[Json | None] = []
    for record in records[-4:]:
        undo = record.kind == "rollback" and record.why.startswith("undo")
        label = "Undo…" if undo else f"{action_title(record.kind, record.target)}…"
        style: Style | None = "danger" if dangerous(record.kind) else None
        found.append(kit.paragraph([[untrusted(record.why, NOTE)]]))
        found.append(
            kit.actions(
                f"follow_{record.id}", [kit.button(label, f"action.{record.kind}", record.handle, style)]
            )
        )
    return found
