"""The table of what can be pressed."""

from __future__ import annotations

from slack_bolt.async_app import AsyncApp

from handlers.slack.buttons import button
from handlers.slack.cause import open_cause, say_right, submit_cause
from handlers.slack.cause_form import CALLBACK as CAUSE_FORM
from handlers.slack.menu import Act, choose, show_report
from handlers.slack.services import Services
from handlers.slack.silence_form import CALLBACK
from handlers.slack.silencing import open_silence, submit_silence
from triage.incidents import operations


def register(app: AsyncApp, services: Services, act: Act | None = None) -> None:
    """Register the incident's buttons, its silence modal, and the question what its cause was. ``act``: see the menu."""
    app.action("incident.acknowledge")(button(services, "acknowledge incidents", operations.acknowledge))
    app.action("incident.retriage")(button(services, "ask for another triage", operations.retriage))
    app.action("incident.resolve")(button(services, "resolve incidents", operations.resolve))
    app.action("incident.more")(choose(services, act))
    app.action("incident.report")(show_report(services))
    app.action("incident.silence")(open_silence(services))
    app.view(CALLBACK)(submit_silence(services))
    app.action("incident.cause_right")(say_right(services))
    app.action("incident.cause_wrong")(open_cause(services))
    app.view(CAUSE_FORM)(submit_cause(services))
