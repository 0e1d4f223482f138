"""An answer to a command as Block Kit: a header, its sections, small print; cut with a word on what is missing."""

from __future__ import annotations

from bot.slack.blocks import kit
from bot.slack.blocks.signs import FINDING
from bot.slack.rendered import Rendered
from triage.answers import Answer, Line, Mark, Section
from triage.model import FindingStatus, Json

BUDGET = 9_000
LINE = 600
_SIGNS = {
    Mark.GOOD: FINDING[FindingStatus.OK],
    Mark.WARN: FINDING[FindingStatus.WARNING],
    Mark.BAD: FINDING[FindingStatus.CRITICAL],
    Mark.UNKNOWN: FINDING[FindingStatus.UNKNOWN],
    Mark.PLAIN: "",
}


def answer_blocks(answer: Answer) -> Rendered:
    """Return an answer's message."""
    share = BUDGET // max(1, len(answer.sections))
    blocks = kit.present(
        [
            kit.header(answer.title) if answer.title else None,
            *(_section(section, share) for section in answer.sections),
            kit.actions(
                "answer",
                [
                    kit.button(
                        button.label, button.action_id, button.value, "danger" if button.danger else None
                    )
                    for button in answer.buttons[:25]
                ],
            ),
            kit.small(answer.note) if answer.note else None,
        ]
    )
    return Rendered(kit.preview(answer.summary), blocks)


def _section(section: Section, budget: int) -> Json | None:
    lines: list[list[Json]] = [[kit.foreign(section.title, LINE, bold=True)]] if section.title else []
    return kit.paragraph(kit.fitting([*lines, *map(_line, section.lines)], budget))


def _line(line: Line) -> list[Json]:
    sign = _SIGNS[line.mark]
    leaves = [kit.leaf(f"{sign} ")] if sign else []
    if line.name:
        leaves += [kit.foreign(line.name, LINE, bold=True), kit.leaf(" ")]
    if line.code:
        leaves += [kit.foreign(line.code, LINE, code=True), kit.leaf(" ")]
    return [*leaves, kit.foreign(line.text, LINE)] if line.text else leaves or [kit.leaf(" ")]


def answer_text(answer: Answer) -> str:
    """Return an answer for a terminal or a file."""
    out = [answer.title, ""] if answer.title else []
    for section in answer.sections:
        if section.title:
            out.append(section.title)
        for line in section.lines:
            out.append(
                " ".join(part for part in (_SIGNS[line.mark], line.name, line.code, line.text) if part)
            )
        out.append("")
    return "\n".join([*out, answer.note] if answer.note else out).rstrip() + "\n"
