"""A digest as messages: the verdict first, then what holds it, then the figures; a bot's details apart if too long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from triage.kpis.model import BotReport, DigestReport, IncidentNote, KpiVerdict
from triage.ports.chat import Answer, Line, Mark, Section, section
from triage.reports.digest.lines import (
    coverage_line,
    gates_line,
    incidents_line,
    kpi_line,
    result_line,
    unmeasured_line,
    verdict_line,
    with_result,
)
from triage.wording import counted, duration

FITS = 1800
"""Characters that are read in one message on a phone; beyond it each bot has a message of its own."""
INCIDENTS = 8


@dataclass(frozen=True, slots=True)
class DigestText:
    """The message at the top, and one message a bot where they do not fit into it (by bot)."""

    top: Answer
    bots: tuple[tuple[str, Answer], ...] = ()


def digest_text(
    report: DigestReport,
    incidents: Sequence[IncidentNote],
    *,
    title: str,
    late: str = "",
    room: int = FITS,
    verdicts: Section | None = None,
    standing: str = "",
) -> DigestText:
    """Say a digest. ``late``: a sentence on why it comes late; ``room``: characters that one message may have.

    ``verdicts``: how often the bot's own were right; ``standing``: what still holds as it is sent, as degraded mode.
    """
    held = [*report.unmeasured, *(bot.bot for bot in report.bots if bot.verdict is KpiVerdict.HOLD)]
    word = "hold" if held or not report.bots else "meets the checklist"
    asked = len(report.bots) + len(report.unmeasured)
    details = [bot_section(bot) for bot in report.bots]
    rest = [
        _incidents(incidents, report.end),
        verdicts or section([]),
        section([Line(one) for one in report.problems], "Not done"),
    ]
    fits = sum(map(_length, [*details, *rest])) <= room
    verdicts_of = [verdict_line(bot) if fits else with_result(bot) for bot in report.bots]
    bots = section([*verdicts_of, *map(unmeasured_line, report.unmeasured)])
    note = " · ".join(part for part in (late, _window(report), _made(report)) if part)
    holding = f" ({len(held)} of {counted(asked, 'bot')})" if held else ""
    top = Answer(
        f"{title}: {word}",
        tuple(part for part in (_standing(standing), bots, *(details if fits else ()), *rest) if part.lines),
        note=note,
        preview=" · ".join(filter(None, [f"{title}: {word}{holding}", standing.partition(":")[0]])),
    )
    apart = () if fits else tuple(_apart(bot, part) for bot, part in zip(report.bots, details, strict=True))
    return DigestText(top, apart)


def _standing(text: str) -> Section:
    return section([Line(text, mark=Mark.WARN)] if text else [])


def missing_text(
    why: str, start: datetime, end: datetime, *, title: str, late: str = "", standing: str = ""
) -> DigestText:
    """Say that a digest could not be made, and the mend."""
    window = f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC"
    return DigestText(
        Answer(
            f"{title}: hold",
            (
                *(part for part in [_standing(standing)] if part.lines),
                section([Line(f"hold: nothing could be measured. {why}", mark=Mark.UNKNOWN)]),
                section([Line("Once mended, /triage kpi measures the period again.", name="Next")]),
            ),
            note=" · ".join(part for part in (late, window) if part),
            preview=f"{title}: hold, nothing could be measured",
        )
    )


def bot_section(bot: BotReport) -> Section:
    """Return everything about one bot; one that wrote nothing has one line."""
    name = f"{bot.bot} (variant {bot.variant})" if bot.variant else bot.bot
    if not bot.coverage.present:
        return section([coverage_line(bot.coverage)], name)
    lines = [
        *map(kpi_line, bot.kpis),
        result_line(bot.trading, bot.trading_before),
        gates_line(bot.gates),
        incidents_line(bot.incidents),
        coverage_line(bot.coverage),
    ]
    lines += [
        Line(f"also wrote {other.coverage.present:,} minutes", name=f"Variant {other.variant}")
        for other in bot.others
    ]
    return section(lines, name)


def _apart(bot: BotReport, part: Section) -> tuple[str, Answer]:
    word = "meets the checklist" if bot.verdict is KpiVerdict.MEETS else "hold"
    return bot.bot, Answer("", (part,), preview=f"{bot.bot}: {word}")


def _incidents(incidents: Sequence[IncidentNote], end: datetime) -> Section:
    lines = [_incident(note, end) for note in incidents[-INCIDENTS:]]
    more = len(incidents) - len(lines)
    if more > 0:
        lines.append(Line(f"and {more} earlier ones"))
    return (
        section(lines, "Incidents of the period") if lines else section([Line("no incidents in the period")])
    )


def _incident(note: IncidentNote, end: datetime) -> Line:
    parts = [part for part in (note.severity, note.title) if part]
    if note.acknowledged_at is not None:
        parts.append(f"acknowledged after {_took(note.started_at, note.acknowledged_at)}")
    else:
        parts.append("not acknowledged")
    resolved = note.resolved_at is not None and note.resolved_at < end
    if resolved and note.resolved_at is not None:
        parts.append(f"resolved after {_took(note.started_at, note.resolved_at)}")
    else:
        parts.append("unresolved")
    return Line(" · ".join(parts), name=note.id, mark=Mark.GOOD if resolved else Mark.WARN)


def _took(start: datetime, end: datetime) -> str:
    return duration((end - start).total_seconds())


def _length(part: Section) -> int:
    return len(part.title) + sum(len(line.name) + len(line.text) + 4 for line in part.lines)


def _window(report: DigestReport) -> str:
    return f"{report.start:%Y-%m-%d %H:%M} to {report.end:%Y-%m-%d %H:%M} UTC"


def _made(report: DigestReport) -> str:
    return f"measured in {report.seconds:.1f} s" if report.seconds else ""
