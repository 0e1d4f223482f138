"""The commands of the command line, in the order of its help."""

from __future__ import annotations

from bot.command_line.app import app
from bot.command_line.evidence import replay, triage
from bot.command_line.reports import audit, digest, postmortem
from bot.command_line.service import agent, demo, run
from bot.command_line.setup import check_config, doctor, init, schema

for _command in (
    run,
    demo,
    agent,
    doctor,
    check_config,
    init,
    schema,
    triage,
    replay,
    audit,
    digest,
    postmortem,
):
    app.command(_command.__name__.replace("_", "-"))(_command)


__all__ = ["app"]
