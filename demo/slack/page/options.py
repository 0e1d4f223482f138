"""What the page is told about the app: its commands for the completion, and scripts of an extra panel."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Word:
    """One sub-word of a command, e.g. `Word("status", "[bot]", "The desk at a glance")`."""

    name: str
    arguments: str = ""
    help: str = ""


@dataclass(frozen=True)
class Command:
    """A slash command and the words it takes."""

    name: str
    help: str = ""
    words: tuple[Word, ...] = ()


TRIAGE = Command(
    "/triage",
    "Ask the desk",
    (
        Word("help", "", "What can be asked"),
        Word("status", "[bot]", "The desk at a glance"),
        Word("run", "<bot>", "Triage a bot without an alert"),
        Word("incidents", "", "Open incidents"),
        Word("show", "<id>", "One incident"),
        Word("ack", "<id>", "Acknowledge an incident"),
        Word("resolve", "<id>", "Resolve an incident"),
        Word("silence", "<id>", "Silence its alerts for a while"),
        Word("kpi", "[bot] [window]", "The KPI digest, e.g. bot1 24h"),
        Word("checklist", "[startup|dashboard|paper|health]", "Run a checklist"),
        Word("actions", "", "What can be done"),
        Word("do", "<action> <target>", "Propose an action"),
        Word("drill", "", "Test the way of an alert"),
        Word("postmortem", "<id>", "Write an incident out"),
    ),
)


@dataclass(frozen=True)
class PageOptions:
    """How the page is set up.

    `channel` and `user` are where a bare address leads. `panel_script` is the URL of an ES module that fills
    `<aside id="panel">` (it exports `default (element, workspace)`), `panel_style` the URL of its style sheet;
    `panel_title` names the panel's button. Without a script there is no panel.
    """

    commands: tuple[Command, ...] = (TRIAGE,)
    channel: str = "desk-alerts"
    user: str = "ana"
    panel_script: str = ""
    panel_style: str = ""
    panel_title: str = "Scenarios"
