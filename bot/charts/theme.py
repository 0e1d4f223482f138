"""Colours of the pictures: Okabe and Ito's palette, told apart by colour-blind eyes, and never the only sign."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fill:
    """How an area is filled: its colour, and lines over it (``hatch``: none, rising, crossed or dots)."""

    colour: str
    hatch: str = "none"
    ink: str = "#000000"


@dataclass(frozen=True, slots=True)
class Theme:
    """A light or a dark sheet."""

    name: str
    sheet: str
    plot: str
    ink: str
    muted: str
    grid: str
    line: str
    area: str
    below: Fill
    over: str
    incident: str
    action: str
    states: dict[str, Fill]


LIGHT = Theme(
    name="light",
    sheet="#ffffff",
    plot="#edf1f5",
    ink="#16191d",
    muted="#505a64",
    grid="#cbd3da",
    line="#0064a0",
    area="#b5d8ef",
    below=Fill("#f3c36b", "rising", "#8a5a00"),
    over="#c44200",
    incident="#b0208a",
    action="#16191d",
    states={
        "running": Fill("#7fbfe6"),
        "soft_pause": Fill("#f7cf72", "rising", "#8a5a00"),
        "hard_stop": Fill("#d55e00", "crossed", "#4a1d00"),
        "missing": Fill("#ffffff", "dots", "#8a949e"),
        "other": Fill("#cc9ab8", "crossed", "#5e2b49"),
    },
)

DARK = Theme(
    name="dark",
    sheet="#16181c",
    plot="#272d35",
    ink="#f1f3f5",
    muted="#b4bdc7",
    grid="#4a525c",
    line="#6cc4f5",
    area="#1f506e",
    below=Fill("#8a6414", "rising", "#ffd27a"),
    over="#ff8a4c",
    incident="#f58fd6",
    action="#f1f3f5",
    states={
        "running": Fill("#2f7fb0"),
        "soft_pause": Fill("#9a7014", "rising", "#ffd98a"),
        "hard_stop": Fill("#e0631b", "crossed", "#2a0f00"),
        "missing": Fill("#16181c", "dots", "#7d8894"),
        "other": Fill("#8c4f73", "crossed", "#f0c9de"),
    },
)

THEMES = {theme.name: theme for theme in (LIGHT, DARK)}
