"""The thread's question whether the verdict was right: asked, answered, or waiting for the incident to be over again."""

from __future__ import annotations

from bot.slack.blocks import kit
from bot.slack.blocks.card import Names
from bot.slack.blocks.kit import leaf
from bot.slack.blocks.verdict import headline
from bot.slack.rendered import Rendered
from triage.incidents.cause_answers import answer_in_words
from triage.incidents.feedback import Question, QuestionState
from triage.model import Cause, Json
from triage.reports.incident_view import NOTHING_WRONG
from triage.untrusted_text import one_line

RIGHT, WRONG = "incident.cause_right", "incident.cause_wrong"
"""The buttons; their value is the question's key."""
SAID = 160


def question_message(question: Question, names: Names) -> Rendered:
    """Return the question as it stands now."""
    number = question.incident.number
    said = (
        f"{names(question.answer.actor)} {answer_in_words(question.answer)}"
        if question.answer is not None
        else ""
    )
    row: list[Json] = []
    if question.state is QuestionState.CAME_BACK:
        lines = [f"{number} came back: whether the verdict was right is asked again when it is over."]
    elif question.state is QuestionState.ANSWERED:
        lines, said = [f"✓ {said}"], ""
        row = [kit.button("Change…", WRONG, question.key)]
    else:
        lines = _asking(question.causes)
        yes = [kit.button("Yes", RIGHT, question.key)] if question.causes else []
        row = [*yes, kit.button("No, it was…" if yes else "It was…", WRONG, question.key)]
    if said:
        lines.append(f"Before it came back {said}")
    blocks = [
        kit.paragraph([[leaf(one_line(line, 2 * SAID))] for line in lines]),
        kit.actions("question", row),
    ]
    return Rendered(text=kit.preview(" ".join(lines)), blocks=kit.present(blocks))


def _asking(causes: tuple[Cause, ...]) -> list[str]:
    if not causes:
        return ["It is over, and no cause was found. What was it?"]
    first, *others = causes
    asked = "Was this right?" if first.cause == NOTHING_WRONG else "Was this the cause?"
    lines = [f"It is over. {asked} {one_line(headline(first), SAID)}"]
    if others:
        lines.append(f"Beside it stood: {one_line('; '.join(headline(each) for each in others), SAID)}")
    return lines
