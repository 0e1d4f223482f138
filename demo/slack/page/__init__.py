"""The workspace in a browser: server-rendered pages that stay live over a WebSocket.

`install(server, application, options)` adds it to a `SlackServer`. Everything that is shown goes through
`text` (mrkdwn, rich text, markdown to safe HTML) or a template with autoescape.
"""

from demo.slack.page.options import Command, PageOptions, Word
from demo.slack.page.routes import install, workspace_page

__all__ = ["Command", "PageOptions", "Word", "install", "workspace_page"]
