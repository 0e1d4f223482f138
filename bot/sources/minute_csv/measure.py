"""One bot measured: its variants found and read, the one that counts chosen, its report and picture made."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.sources.minute_csv.folders import LOGS, variants
from bot.sources.minute_csv.reading import DigestWindow, nothing, read_variant
from triage.kpis.report import bot_report, incident_figures, with_others
from triage.kpis.thinning import bot_picture

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.sources.minute_csv.protocol import BotAsk, Request
    from bot.sources.minute_csv.reading import VariantReading
    from triage.kpis.model import BotReport
    from triage.kpis.picture import BotPicture


def measure(request: Request, ask: BotAsk) -> tuple[BotReport, BotPicture | None]:
    """Return a bot's report, and its picture's data where the request wants pictures.

    A bot without files has a report too: nothing measured, and the reason among the notes of its coverage.
    """
    window = DigestWindow.of(request.start, request.end)
    folders = variants(request.data, ask.name)
    readings = {variant: read_variant(folder, variant, window) for variant, folder in folders.items()}
    main = _main(readings, ask, window)
    others = [entry for entry in readings.values() if entry is not main and entry.coverage.present]
    report = with_others(_report(request, ask, main), tuple(_report(request, ask, other) for other in others))
    if not request.pictures or not main.coverage.present:
        return report, None
    picture = bot_picture(
        report=report,
        grid=main.grid,
        fills=main.fills,
        limits=ask.limits,
        incidents=request.incidents,
        actions=request.actions,
    )
    return report, picture


def _main(readings: Mapping[str, VariantReading], ask: BotAsk, window: DigestWindow) -> VariantReading:
    """Return the configured variant, or the one with most minutes where that one wrote none."""
    if not readings:
        return nothing(window, (f"no minute*.csv below {ask.name}/{LOGS}/",))
    most = max(readings.values(), key=lambda reading: reading.coverage.present)
    configured = readings.get(ask.variant or "")
    if configured is not None and (configured.coverage.present or not most.coverage.present):
        return configured
    if ask.variant is None:
        return most
    note = (
        f"variant {ask.variant} is configured and has no rows in the window: variant {most.variant} is shown"
    )
    return replace(most, coverage=replace(most.coverage, notes=(note, *most.coverage.notes)))


def _report(request: Request, ask: BotAsk, reading: VariantReading) -> BotReport:
    return bot_report(
        bot=ask.name,
        variant=reading.variant,
        grid=reading.grid,
        before=reading.before,
        fills=reading.fills,
        fills_before=reading.fills_before,
        coverage=reading.coverage,
        incidents=incident_figures(request.incidents, ask.name, request.start, request.end),
        limits=ask.limits,
    )
