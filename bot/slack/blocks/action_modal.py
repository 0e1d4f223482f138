"""The modals of actions: confirm, with the whole plan; what was not possible; a step's output."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.slack.blocks import kit
from bot.slack.blocks.action import COMMAND
from bot.slack.blocks.kit import leaf, untrusted
from bot.slack.blocks.times import seconds_between
from triage.actions.base import ArgumentChoice
from triage.actions.catalogue import action_title, label_of
from triage.actions.preparation import PreparedPlan
from triage.model import Json
from triage.plans.plan import Holds, Plan, Precondition
from triage.plans.record import ActionRecord, StepRecord
from triage.untrusted_text import cut, one_line
from triage.wording import duration

CALLBACK = "confirm_action"
CHOICE, CHOICE_BLOCK = "action_choice", "choice."
TITLE, REASON_LENGTH, LINES, DIFF = 24, 500, 40, 2800
_HOLDS = {Holds.YES: "✓", Holds.WARNING: "⚠", Holds.NO: "✗"}


class ActionModals:
    """Builds the views that ``handlers.slack.actions`` opens. Pure."""

    def preparing(self, record: ActionRecord, kept: Mapping[str, str]) -> Json:
        """Return what is shown at once, while the desk is looked at."""
        blocks = [
            kit.header(action_title(record.kind, record.target)),
            kit.rich(untrusted(record.why, 500)),
            kit.small("Looking at the desk and writing the plan…"),
        ]
        return _modal(record.kind, kit.present(blocks), kept)

    def confirm(
        self, prepared: PreparedPlan, kept: Mapping[str, str], names: Mapping[str, str], incident_handle: str
    ) -> Json:
        """Return the form: target, plan step by step, evidence and its age, what it will not do, the reason."""
        record, plan = prepared.record, prepared.plan
        can = plan is not None and not prepared.blocked
        blocks = [
            kit.header(plan.title if plan is not None else action_title(record.kind, record.target)),
            *_blocked(prepared, incident_handle),
            kit.paragraph(_why(record, prepared.now, names)),
            *(_select(choice) for choice in prepared.choices),
            kit.paragraph(_conditions(prepared.preconditions)),
            *(_plan(plan) if plan is not None else ()),
            *(_diff(plan.diff) if plan is not None and plan.diff else ()),
            _reason() if can else None,
            kit.actions("reject", [kit.button("Reject this proposal", "action_reject", record.handle)])
            if can
            else None,
        ]
        digest = plan.digest if plan is not None else ""
        kept = {**kept, "digest": digest}
        return _modal(record.kind, kit.present(blocks), kept, submit="Confirm" if can else "")

    def notice(self, title: str, text: str, incident_handle: str = "") -> Json:
        """Return a sentence, and a button for a fresh triage where there is an incident to triage."""
        blocks = [kit.rich(untrusted(text, 2000)), _retriage(incident_handle)]
        return _modal(title, kit.present(blocks), {})

    def output(self, record: ActionRecord, steps: Sequence[StepRecord]) -> Json:
        """Return what each step did and printed, masked and cut as it is stored."""
        blocks: list[Json] = [kit.header(action_title(record.kind, record.target))]
        for step in steps:
            title = leaf(f"{step.number} {one_line(step.title, 120)}", bold=True)
            if step.shown or step.output.strip():
                did = [leaf("\n"), kit.step_line(step.shown, COMMAND)] if step.shown else []
                blocks.append(kit.rich(title, *did))
            if step.output.strip():
                blocks.append(kit.preformatted(step.output[-2900:], 2900))
        return _modal(record.kind, tuple(blocks[:90]), {})


def _modal(kind: str, blocks: Sequence[Json], kept: Mapping[str, str], *, submit: str = "") -> Json:
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "private_metadata": json.dumps(dict(kept)),
        "title": _plain(cut(label_of(kind), TITLE)),
        "close": _plain("Close"),
        **({"submit": _plain(submit)} if submit else {}),
        "blocks": list(blocks) or [kit.rich(leaf("Nothing to show."))],
    }


def _plain(text: str) -> Json:
    return {"type": "plain_text", "text": text or " ", "emoji": False}


def _blocked(prepared: PreparedPlan, incident_handle: str) -> list[Json | None]:
    if not prepared.blocked:
        return []
    return [kit.paragraph([[untrusted(prepared.blocked, 1500, bold=True)]]), _retriage(incident_handle)]


def _retriage(incident_handle: str) -> Json | None:
    if not incident_handle:
        return None
    return kit.actions("fresh", [kit.button("Triage again", "incident.retriage", incident_handle)])


def _why(record: ActionRecord, now: datetime, names: Mapping[str, str]) -> list[list[Json]]:
    lines = [[leaf("Target ", bold=True), untrusted(record.target, 80)]]
    if record.why:
        lines.append([leaf("Why ", bold=True), untrusted(record.why, 500)])
    evidence = record.evidence
    if evidence.observed_at is not None:
        age = duration(seconds_between(evidence.observed_at, now))
        lines.append([leaf(f"Seen {age} ago", bold=True)])
        lines += [[leaf("   "), untrusted(line, 240)] for line in evidence.lines]
    elif record.parent_id is None:
        lines.append(
            [
                leaf("Seen ", bold=True),
                leaf("no triage stands behind this; the checks run before the first step"),
            ]
        )
    for one in record.confirmations:
        who = names.get(one.actor, one.actor)
        lines.append([leaf(f"Confirmed by {who}: ", bold=True), untrusted(one.reason, 300)])
    if record.needed > 1:
        have = len(record.confirmations)
        lines.append([leaf(f"Takes {record.needed} different people; yours would be number {have + 1}.")])
    return lines


def _select(choice: ArgumentChoice) -> Json:
    options = [{"text": _plain(one_line(one.label, 75)), "value": one.value[:150]} for one in choice.options]
    chosen = next((option for option in options if option["value"] == choice.chosen), None)
    element = {
        "type": "static_select",
        "action_id": CHOICE,
        "options": options,
        **({"initial_option": chosen} if chosen is not None else {}),
    }
    return {
        "type": "section",
        "block_id": f"{CHOICE_BLOCK}{choice.name}",
        "text": _plain(choice.label),
        "accessory": element,
    }


def _conditions(found: Sequence[Precondition]) -> list[list[Json]]:
    if not found:
        return []
    lines = [[leaf("Preconditions", bold=True)]]
    return [*lines, *([leaf(f"   {_HOLDS[one.holds]} "), untrusted(one.text, 300)] for one in found)]


def _plan(plan: Plan) -> list[Json | None]:
    lines = [[leaf("Plan", bold=True)]]
    for number, step in enumerate(plan.steps[:LINES], start=1):
        lines.append([leaf(f"{number}  "), untrusted(step.title, 120)])
        lines.append([leaf("     "), kit.step_line(step.op.shown, COMMAND)])
    watched = (
        f"verify: {', '.join(name.replace('_', ' ') for name in plan.checks) or 'what it leaves behind'}"
    )
    lines.append([leaf(f"{len(plan.steps) + 1}  {watched}")])
    effects = [
        [leaf("Side effects", bold=True)],
        *([leaf("•  "), untrusted(one, 300)] for one in plan.side_effects),
    ]
    wont = [[leaf("It will not", bold=True)], *([leaf("•  "), untrusted(one, 300)] for one in plan.wont)]
    undo = [[leaf("Undo ", bold=True), untrusted(plan.undo, 300)]] if plan.undo else []
    return [kit.paragraph(lines), kit.paragraph([*effects, *wont, *undo])]


def _diff(text: str) -> list[Json | None]:
    said = "What changes in the files (- is now, + is the snapshot; secrets are masked)"
    return [kit.rich(leaf(said, bold=True)), kit.preformatted(cut(text, DIFF), DIFF)]


def _reason() -> Json:
    return {
        "type": "input",
        "block_id": "reason",
        "label": _plain("Reason"),
        "element": {
            "type": "plain_text_input",
            "action_id": "reason",
            "max_length": REASON_LENGTH,
            "placeholder": _plain("Why now: it goes into the audit trail and the postmortem"),
        },
    }
