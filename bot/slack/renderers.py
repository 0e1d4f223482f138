"""From a message we owe to what it says: one renderer a kind, looked up at the moment of sending."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bot.slack.blocks import kit
from bot.slack.blocks.action import action_message
from bot.slack.blocks.answer import answer_blocks
from bot.slack.blocks.card import incident_card
from bot.slack.blocks.question import question_message
from bot.slack.blocks.similar_incident import similar_incident_line
from bot.slack.blocks.storm import LEADING_MAX, StormRoll, roll_page, with_storm
from bot.slack.blocks.thread import timeline_lines
from bot.slack.blocks.triage import RUNS, triage_message
from bot.slack.rendered import FileContent, Rendered, Renderer
from triage.actions.view import view_action
from triage.incidents.feedback import question_of
from triage.incidents.notifications import IN_CHANNEL
from triage.incidents.storm import PAGE, told_by
from triage.memory.people import name_of
from triage.model import Incident, IncidentShape, Severity, TimelineEntry
from triage.ports.chat import answer_from_json
from triage.ports.store import Message, MessageKind, Tx
from triage.reports.incident_view import IncidentView, view_incident
from triage.reports.similar_incidents import similar_incidents
from triage.severities import is_paging
from triage.untrusted_text import one_line, shown

Viewer = Callable[[Tx, Incident], IncidentView]
"""Gathers what a card shows: the composition root adds links, offers and banners."""

PLAIN = 3000
DOUBT = "Slack did not say whether it took this before, so it may stand here twice."


def incident_renderers(
    viewer: Viewer = view_incident,
    words: Mapping[str, Severity] | None = None,
    *,
    asks: bool = True,
    workspace: Callable[[], str] = lambda: "",
) -> dict[MessageKind, Renderer]:
    """Return the renderers of what an incident owes: its card, its lines, its triage summaries, stored texts.

    ``words``: the desk's own words of severity; ``asks``: whether the thread asks if a verdict was right;
    ``workspace``: the address of the workspace, for links to other messages, empty while it is not known.
    """

    def card(tx: Tx, message: Message, now: datetime) -> Rendered | None:
        incident = tx.incidents.get(int(message.ref))
        if incident is None:
            return None
        shown_card = incident_card(viewer(tx, incident), now, lambda actor: name_of(tx, actor))
        if incident.shape is IncidentShape.STORM:
            return with_storm(shown_card, _storm_roll(tx, incident, words or {}), now)
        return shown_card

    return {
        MessageKind.CARD: card,
        MessageKind.LINE: lambda tx, message, now: render_lines(tx, [message], now),
        MessageKind.ROLL: _roll,
        MessageKind.TRIAGE: lambda tx, message, now: _triage(tx, message, now, workspace()),
        MessageKind.FEEDBACK: lambda tx, message, _now: _question(tx, message) if asks else None,
        MessageKind.DIGEST: _document,
        MessageKind.DOCUMENT: _document,
        MessageKind.FILE: _file,
    }


def render_lines(tx: Tx, messages: Sequence[Message], now: datetime) -> Rendered | None:
    """Render lines of one thread as one message."""
    found = (tx.timeline.get(int(message.ref)) for message in messages)
    entries: list[TimelineEntry] = [entry for entry in found if entry is not None]
    if not entries:
        return None
    rendered = timeline_lines(entries, now, lambda actor: name_of(tx, actor))
    return replace(rendered, in_channel=any(entry.data.get(IN_CHANNEL) for entry in entries))


def _storm_roll(tx: Tx, storm: Incident, words: Mapping[str, Severity]) -> StormRoll:
    """Gather what a storm's card says of its alerts. ``words``: the desk's own words of severity."""
    told = told_by(tx, storm)
    counts = tx.incidents.roll_counts(told)
    said = {one.word for one in counts}
    paging = frozenset(word for word in said if is_paging({"severity": word}, words))
    return StormRoll(counts, tx.incidents.leading(told, paging, LEADING_MAX), paging, own_cards=told[1:])


def _roll(tx: Tx, message: Message, _now: datetime) -> Rendered | None:
    incident_id, page = map(int, message.ref.split("/"))
    incident = tx.incidents.get(incident_id)
    if incident is None:
        return None
    entries = tx.incidents.roll(told_by(tx, incident), first=page * PAGE, most=PAGE)
    return roll_page(incident, entries, page)


def _triage(tx: Tx, message: Message, now: datetime, workspace: str) -> Rendered | None:
    runs = tx.runs.done(int(message.ref), RUNS)
    incident = tx.incidents.get(int(message.ref))
    if not runs or incident is None:
        return None
    past = [similar_incident_line(one, now, workspace) for one in similar_incidents(tx, incident)]
    return triage_message(runs, now, tx.incidents.handle(incident.id), past)


def _question(tx: Tx, message: Message) -> Rendered | None:
    question = question_of(tx, int(message.ref))
    return None if question is None else question_message(question, lambda actor: name_of(tx, actor))


def render_action(tx: Tx, message: Message, now: datetime) -> Rendered | None:
    """Render a message of kind ``action`` (``ref`` is the action's id)."""
    view = view_action(tx, int(message.ref))
    return None if view is None else action_message(view, now, lambda actor: name_of(tx, actor))


def _document(tx: Tx, message: Message, _now: datetime) -> Rendered | None:
    """Render a stored answer (``data`` has it under ``answer``), or a plain ``text`` with its ``title``."""
    document = tx.notes.document(int(message.ref))
    if document is None:
        return None
    if "answer" in document.data:
        return answer_blocks(answer_from_json(document.data["answer"]))
    title, text = str(document.data.get("title", "")), str(document.data.get("text", ""))
    made = [
        kit.header(one_line(title, kit.HEADER)) if title else None,
        kit.rich(kit.leaf(shown(text, PLAIN))),
    ]
    return Rendered(text=kit.preview(title or text), blocks=kit.present(made))


def _file(tx: Tx, message: Message, _now: datetime) -> Rendered | None:
    """Render a stored file: ``data`` has ``name``, and may have ``title``, ``alt_text`` and ``comment``."""
    document = tx.notes.document(int(message.ref))
    if document is None:
        return None
    name = one_line(str(document.data.get("name", f"{document.kind}.bin")), 100)
    file = FileContent(
        name=name,
        content=document.content,
        title=one_line(str(document.data.get("title", name)), 150),
        alt_text=one_line(str(document.data.get("alt_text", "")), 1000),
    )
    return Rendered(text=kit.preview(str(document.data.get("comment", ""))), file=file)


def plain_version(rendered: Rendered) -> Rendered:
    """Return the same without blocks, for when Slack refuses them: better plain than lost."""
    return Rendered(text=rendered.text[:PLAIN] or "(no text)", file=rendered.file)


def doubted(rendered: Rendered) -> Rendered:
    """Return the same with the word that it may stand there twice: nobody can look whether it was posted before."""
    text = f"{rendered.text[:PLAIN]} ({DOUBT})" if rendered.text else DOUBT
    return replace(
        rendered, text=text, blocks=(*rendered.blocks, kit.small(DOUBT)) if rendered.blocks else ()
    )


def unshowable(message: Message) -> Rendered:
    """Return what stands for a message that cannot be rendered."""
    about = f"INC-{message.incident_id}: " if message.incident_id else ""
    return Rendered(text=f"{about}a {message.kind.value} could not be shown; the service's log says why")


def renderer_of(renderers: Mapping[MessageKind, Renderer], message: Message) -> Renderer:
    """Return the renderer of a message's kind; a kind without one is a mistake of the wiring."""
    try:
        return renderers[message.kind]
    except KeyError:
        raise LookupError(f"no renderer for messages of kind {message.kind.value!r}") from None
