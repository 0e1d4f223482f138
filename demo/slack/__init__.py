"""A Slack server for tests and the demo: the Web API and Socket Mode, as strict as the real one, in memory.

The flow tests and the local workspace run the bot's real Slack code against this package:
`SlackServer` serves the Web API under `/api/`, Socket Mode under `/link/`, and on request an HTTP mode
that posts signed requests. `SlackServer.member(name)` acts as a person, `SlackServer.faults` breaks things.
Nothing is kept on disk.
"""

from demo.slack.actor import Actor
from demo.slack.faults import Fault
from demo.slack.model import Json, Message
from demo.slack.server import SlackServer
from demo.slack.settings import AppConfig, Timing
from demo.slack.submission import ActOutcome

__all__ = ["ActOutcome", "Actor", "AppConfig", "Fault", "Json", "Message", "SlackServer", "Timing"]
