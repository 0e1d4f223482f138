"""``python -m bot.agent``: the agent as a process. It speaks to unix sockets alone, so no TLS library is loaded.

That library (OpenSSL) comes with ``ssl`` and with ``_hashlib``: Python's own SHA-256 does, more slowly.
"""

import sys

# asyncio, hashlib and hmac do without: a smaller process, and less in it to attack.
sys.modules["ssl"] = sys.modules["_hashlib"] = None  # type: ignore[assignment]

from bot.agent.process import main  # noqa: E402 - after the line above

if __name__ == "__main__":
    sys.exit(main())
