"""What the triage makes of an incident, in few words: the cause and how sure, what speaks for it, what to do."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.slack.blocks.buttons import CONFIRM_SECOND, offer_label
from bot.slack.blocks.kit import PHONE, leaf
from bot.slack.blocks.shortening import shorter, some
from triage.diagnosis.strength import believed, strength
from triage.model import Cause, Json, SubjectKind, Verdict
from triage.reports.incident_view import WAY_OUT, IncidentView
from triage.signals.troubles import US
from triage.untrusted_text import one_line
from triage.wording import counted

CAUSE, ALSO, REASON, WHY, ADVICE, COMMAND, EVIDENCE, SAYS, ALERT = 100, 62, 60, 50, 100, 110, 160, 20, 30
"""Characters: a card is read on a phone, where 36 make a line."""
SEVERAL = 2
NOT_KNOWN, DEGRADED = "no_cause_found", "degraded_mode"
LEAVE, MEND_REDIS = (
    "leave degraded mode: /triage do exit_degraded_mode",
    "mend Redis, then Exit degraded mode… in the menu",
)
"""What there is to do while degraded mode is on, where no button of the card is it."""
ALERTS_OVER, SEE_TRADING = "Its alerts are over: ", "see whether the bots trade; then Resolve in the menu"
"""What is said of an incident that is open though none of its alerts fires."""
NOTHING_NOW = "nothing now: it is over once its alerts are"
_ACTS = re.compile(r"docker (?:unpause|start|restart|exec \S+ rm)\b|/triage ")
"""A command that says by itself what it is for: it does something."""
_COMMAND = re.compile(
    r"(?:(?<=^)|(?<=: )|(?<=then )|(?<=with ))(?:docker|tail|grep|cat|ls|df|du|free(?= -)|curl|ping|dig|getent|openssl"
    r"|timedatectl|chronyc|redis-cli|promtool|fuser|journalctl|systemctl|ss|ip|/triage do"
    r"|hbot-triage doctor)\b(?! (?:the|at|of|for)\b)"
)

Line = list[Json]


def cause_words(cause: Cause) -> str:
    """Return the cause and how sure we are: ``Likely: drawdown 2.6 % passed the hard limit 2.5 %``."""
    if cause.cause == NOT_KNOWN:  # how sure one is of knowing nothing says nothing
        return f"Cause not known: {headline(cause)}"
    return f"{strength(cause)}: {headline(cause)}"


def headline(cause: Cause, limit: int = CAUSE) -> str:
    """Return the cause in one sentence; clauses at its end go where it is too long."""
    return shorter(cause.headline, limit)


def cause_lines(view: IncidentView, *, tight: bool = False) -> list[Line]:
    """Return the cause, or the two that stand together; or that it is not known. ``tight``: in two lines of a phone."""
    run = view.run
    if view.held_open:
        return [[leaf(ALERTS_OVER, bold=True), leaf("open until degraded mode is left")]]
    if view.left_open:
        return [[leaf(ALERTS_OVER, bold=True), leaf("open until it is seen that the bots trade")]]
    if run is None:
        return [
            [leaf("Cause ", bold=True), leaf("triage is running…" if view.running else "not triaged yet")]
        ]
    standing = [cause for cause in run.verdict.causes if believed(cause)]
    if view.degraded is not None:  # the banner says it
        standing = [cause for cause in standing if cause.cause != DEGRADED] or standing
    if not standing or standing[0].cause == NOT_KNOWN:
        return _not_known(run.verdict)
    sure = strength(standing[0])
    if not view.incident.is_open or view.mended:  # it is said of what is over
        sure = f"Then {sure.lower()}"
    sure += f"{_as_in(view)}{_but_not_for(view.incident.name, run.verdict, standing)}: "
    limit = 2 * PHONE - len(sure) if tight else CAUSE
    lines = [[leaf(sure, bold=True), leaf(headline(standing[0], limit))]]
    for cause in standing[1:SEVERAL]:
        rest = len(standing) - SEVERAL
        more = f" and {counted(rest, 'more cause')}" if rest > 0 else ""
        lines.append(
            [leaf("And ", bold=True), leaf(f"{strength(cause).lower()}: {headline(cause, ALSO)}{more}")]
        )
    return lines


def _but_not_for(name: str, verdict: Verdict, standing: Sequence[Cause]) -> str:
    """Say that the cause does not explain the alert that the card is called after, where it explains another one."""
    about = f"{name} "
    open_ = any(each.startswith(about) for each in verdict.unexplained)
    explained = any(each.startswith(about) for cause in standing for each in cause.explains)
    return f", but not for {one_line(name, ALERT)}" if open_ and not explained else ""


def _as_in(view: IncidentView) -> str:
    """Return ``, as in INC-7`` where an older incident has the same cause and is open still."""
    return f", as in {view.as_in}" if view.as_in else ""


def _not_known(verdict: Verdict) -> list[Line]:
    """Say that no cause is known, what is possible, and what would settle it."""
    possible = [cause for cause in verdict.causes if cause.cause != NOT_KNOWN]
    known = next((cause for cause in verdict.causes if cause.cause == NOT_KNOWN), None)
    said = headline(known) if known is not None else "no check explains it"
    lines: list[Line] = [[leaf("Cause not known: ", bold=True), leaf(said)]]
    if possible:
        lines.append([leaf("Possible: ", bold=True), leaf(headline(possible[0]))])
    settle = next((cause.settle for cause in verdict.causes if cause.settle), "")
    return [*lines, [leaf("What would settle it: "), *copyable(settle)]] if settle else lines


def evidence(view: IncidentView, room: int) -> str:
    """Return what speaks for the cause, against it, and what is not known, in so many characters at most."""
    if view.run is None or view.held_open or view.left_open or room <= 0:
        return ""
    verdict = view.run.verdict
    top = verdict.top
    parts = []
    if top is not None and top.because:
        parts.append(("seen" if top.cause == NOT_KNOWN else "for it", top.because))
    if top is not None and top.against:
        parts.append(("against it", top.against))
    if verdict.unknowns:
        parts.append(("unknown", verdict.unknowns))
    return _parts_in_room(parts, min(room, EVIDENCE))


def _parts_in_room(parts: Sequence[tuple[str, Sequence[str]]], room: int) -> str:
    """Return the parts that fit, each as short as it must be; a part that would say too little is left out."""
    said: list[str] = []
    for number, (name, texts) in enumerate(parts):
        left = room - sum(len(one) + 3 for one in said)
        share = left // (len(parts) - number) - len(name) - 5
        words = some(texts, share) if share >= SAYS else ""
        if words and "…" not in words:
            said.append(f"{name}: {words}")
    return " · ".join(said)


def do_text(view: IncidentView, *, tight: bool = False) -> str:
    """Return the one thing to do: exactly its button's name, or what a person does by hand."""
    if view.is_drill:
        return "nothing: this is a drill"
    if view.waiting:
        return f"{CONFIRM_SECOND} or Reject"
    if view.under_way:
        return f"nothing now: {one_line(', '.join(view.under_way), WHY)} is under way"
    if view.remedy is not None:
        if view.redis_well and (view.remedy.kind, view.remedy.target) == WAY_OUT:
            return f"{offer_label(view.remedy)} · Redis is well again"  # said however short it must be
        why = one_line(view.remedy.why.partition(";")[0], 2 * WHY)
        return f"{offer_label(view.remedy)}{f' · {why}' if why and len(why) <= WHY and not tight else ''}"
    return _by_hand(view, view.run.verdict) if view.run is not None else ""


def _by_hand(view: IncidentView, verdict: Verdict) -> str:
    top = verdict.top
    if view.left_open or view.mended:
        return SEE_TRADING if view.left_open else NOTHING_NOW
    if view.degraded is not None and (view.held_open or view.nothing_to_mend):
        if view.held_open or view.redis_well:
            return LEAVE
        return MEND_REDIS if view.way_out is not None else f"mend Redis; then {LEAVE}"
    if top is None or not believed(top):  # what is not believed advises nothing
        return f"look with {_look(view)}"
    text = top.by_hand or top.advice or _look(view)
    return f"look with {text}" if _COMMAND.match(text) and not _ACTS.match(text) else text


def _look(view: IncidentView) -> str:
    """Return a command that looks and changes nothing, for an incident about which nothing is known."""
    subject = view.incident.subject
    if subject.name == US:
        return "hbot-triage doctor"
    if subject.kind is SubjectKind.HOST:
        return "df -h; free -m; uptime"
    if subject.kind is SubjectKind.CONTAINER:
        return f"docker logs --since 10m {one_line(subject.name, REASON)}"
    return "docker ps -a"


def do_lines(view: IncidentView, *, tight: bool = False) -> list[Line]:
    """Return the line ``Do: …``, and how the last action ended where there was one."""
    if not view.incident.is_open:
        return []
    lines: list[Line] = []
    if view.done and not view.under_way:
        lines.append([leaf("Done: ", bold=True), leaf(shorter(view.done, ADVICE))])
    if text := do_text(view, tight=tight):
        lines.append([leaf("Do: ", bold=True), *copyable(text)])
    return lines


def copyable(text: str) -> Line:
    """Return what to do as leaves, its commands as code: ``docker logs --tail 50 x; then docker start x``.

    What does not fit is left out whole: half a command would be a wrong one.
    """
    leaves: Line = []
    room = COMMAND
    for part in text.split("; "):
        words, command = _parted(part)
        if leaves and len(part) > room:
            break
        room -= len(part)
        leaves.append(
            leaf(f"{'; ' if leaves else ''}{one_line(words, COMMAND)}{' ' if words and command else ''}")
        )
        if command:
            leaves.append(leaf(one_line(command, 2 * COMMAND), code=True))
    return [part for part in leaves if part["text"].strip()]


def _parted(part: str) -> tuple[str, str]:
    """Return the words and the command of a part; either may be empty."""
    found = _COMMAND.search(part)
    if found is None:
        return part, ""
    return part[: found.start()].strip(), part[found.start() :]
