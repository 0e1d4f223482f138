"""An answer to a command as Block Kit: a header, its sections, small print; cut with a word on what is missing."""

from __future__ import annotations

from bot.slack.blocks import kit
from bot.slack.blocks.symbols import FINDING
from bot.slack.rendered import Rendered
from triage.model import FindingStatus, Json
from triage.ports.chat import Answer, Line, Mark, Section

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
    shares = _shares([_length(section) for section in answer.sections])
    blocks = kit.present(
        [
            kit.header(answer.title) if answer.title else None,
            *(section_blocks(section, share) for section, share in zip(answer.sections, shares, strict=True)),
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


def _length(section: Section) -> int:
    parts = [section.title, *(part for line in section.lines for part in (line.name, line.text, line.code))]
    return sum(min(len(part), LINE) + 4 for part in parts)


def _shares(lengths: list[int]) -> list[int]:
    """Share the room out: what is short gets all it needs, the rest goes to the long ones alike."""
    shares, left = [0] * len(lengths), BUDGET
    for rank, index in enumerate(sorted(range(len(lengths)), key=lengths.__getitem__)):
        shares[index] = min(lengths[index], left // (len(lengths) - rank))
        left -= shares[index]
    return shares


def section_blocks(section: Section, budget: int) -> Json | None:
    """Return one section within so many characters; None where it has no lines."""
    lines: list[list[Json]] = [[kit.untrusted(section.title, LINE, bold=True)]] if section.title else []
    return kit.paragraph(kit.fitting([*lines, *map(_line, section.lines)], budget))


def _line(line: Line) -> list[Json]:
    sign = _SIGNS[line.mark]
    leaves = [kit.leaf(f"{sign} ")] if sign else []
    if line.name:
        leaves += [kit.untrusted(line.name, LINE, bold=True), kit.leaf(" ")]
    if line.code:
        leaves += [kit.untrusted(line.code, LINE, code=True), kit.leaf(" ")]
    return [*leaves, kit.untrusted(line.text, LINE)] if line.text else leaves or [kit.leaf(" ")]


def answer_text(answer: Answer) -> str:
    """Return an answer for a terminal or a file."""
    out = [answer.title, ""] if answer.title else []
    for section in answer.sections:
        if section.title:
            out.append(section.title)
        out += [
            " ".join(part for part in (_SIGNS[line.mark], line.name, line.code, line.text) if part)
            for line in section.lines
        ]
        out.append("")
    return "\n".join([*out, answer.note] if answer.note else out).rstrip() + "\n"
