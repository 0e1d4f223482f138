"""How the error logs' finding is worded."""

from __future__ import annotations

from collections.abc import Mapping

from triage.diagnosis.bot_errors import BotErrors, LogWindow, data_of
from triage.diagnosis.checks.base import worst_status
from triage.logs.templates import Novelty, shortened
from triage.model import Finding, FindingStatus
from triage.wording import clock_time, counted, listed, number, times

NAME = "error_logs"
TITLE = "Error logs"
SOURCE = "Loki"
_SHOWN, _MINUTE = 5, 60
_RANK = {"new": 0, "surging": 1, "unknown": 2, "known": 3}


def finding_of(bots: Mapping[str, BotErrors | None], window: LogWindow) -> Finding:
    """Word the errors of some bots; None is a bot without any line."""
    span, silence = _span(window.seconds), _span(window.log_seen_seconds)
    found = {bot: errors for bot, errors in bots.items() if errors is not None}
    silent = [bot for bot, errors in bots.items() if errors is None]
    statuses = [FindingStatus.UNKNOWN if errors is None else errors.status for errors in bots.values()]
    heads = {
        bot: f"no log line at all in {silence}" if errors is None else _head(errors, span)
        for bot, errors in bots.items()
    }
    single = len(heads) == 1
    details: list[str] = []
    for bot, head in heads.items():
        details.extend([] if single else [f"{bot}: {head}"])
        details.extend(_lines(found[bot], _SHOWN if single else 2) if bot in found else [])
    return Finding(
        name=NAME,
        status=worst_status(statuses),
        headline=next(iter(heads.values())) if single else _summary(found, silent, span),
        source=SOURCE,
        why=_why(found, silent, silence),
        details=tuple(details),
        data={
            "window_seconds": window.seconds,
            "bots": {bot: data_of(errors) for bot, errors in found.items()},
        },
    )


def _span(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= _MINUTE else f"{seconds:.0f} s"


def _why(found: Mapping[str, BotErrors], silent: list[str], span: str) -> str:
    why = [f"Loki holds no line of {listed(silent)} in the last {span}"] if silent else []
    doubtful = {bot: errors for bot, errors in found.items() if errors.doubt}
    for bot, errors in list(doubtful.items())[:3]:
        who = f"{bot}: " if len(found) + len(silent) > 1 else ""
        why.append(f"{who}{errors.doubt}{f', such as: {errors.sample}' if errors.sample else ''}")
    if len(doubtful) > 3:  # noqa: PLR2004 - as many as were shown
        why.append(f"and {len(doubtful) - 3} more bots so")
    return "; ".join(why)


def _head(errors: BotErrors, span: str) -> str:
    if errors.doubt and (errors.not_understood or not errors.count):
        known = f" · {_bound(errors)}{errors.count} errors known" if errors.count else ""
        return f"{errors.doubt} in {span}{known}"
    usual = "usual not known" if errors.usual is None else f"usual: {_usual(errors.usual)}"
    unread = f" · {counted(errors.not_understood, 'line')} not understood" if errors.not_understood else ""
    return f"{_bound(errors)}{errors.count} in {span} ({usual}){unread}"


def _bound(errors: BotErrors) -> str:
    return "≥ " if errors.at_least else ""


def _usual(count: float) -> str:
    return "0" if count == 0 else "< 1" if count < 1 else number(round(count))


def _lines(errors: BotErrors, limit: int) -> list[str]:
    ranked = sorted(
        errors.found, key=lambda each: (_RANK[each.kind], -each.template.count, each.template.text)
    )
    lines = [_line(each, at_least=errors.at_least) for each in ranked[:limit]]
    if len(ranked) > limit:
        lines.append(f"and {len(ranked) - limit} more templates")
    return lines


def _line(found: Novelty, *, at_least: bool) -> str:
    template = shortened(found.template)
    kind = "" if found.kind == "unknown" else f" {found.kind}"
    first = (
        f"seen since {clock_time(template.first_at)}"
        if at_least
        else f"first {clock_time(template.first_at)}"
    )
    return f"{'≥ ' if at_least else ''}{times(template.count)}{kind}  {template.text}  {first}"


def _summary(found: Mapping[str, BotErrors], silent: list[str], span: str) -> str:
    loud = [f"{bot} {_bound(errors)}{errors.count}" for bot, errors in found.items() if errors.count]
    text = f"errors in {span}: {listed(loud) or 'none'}"
    unread = [bot for bot, errors in found.items() if errors.doubt]
    text += f" · not understood: {listed(unread)}" if unread else ""
    return f"{text} · no lines: {listed(silent)}" if silent else text
