"""``python -m bot.agent``: the agent as a process. It speaks to unix sockets alone, so no TLS library is loaded."""

import sys

sys.modules["ssl"] = None  # type: ignore[assignment] # asyncio does without; a smaller process, and less in it to attack

from bot.agent.process import main  # noqa: E402 - after the line above

if __name__ == "__main__":
    sys.exit(main())
