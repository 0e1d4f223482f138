"""Logging: loguru to standard error, as text or JSON lines, with incident ids bound and secrets masked."""

from __future__ import annotations

import inspect
import json
import logging
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, TextIO

from loguru import logger

from triage.masking import masked as mask_secrets

if TYPE_CHECKING:
    from loguru import Message, Record

_TEXT = "{time:YYYY-MM-DD HH:mm:ss.SSS!UTC} {level: <7} {extra[at]}{message}{extra[bound]}"
_PLACES = frozenset({"at", "bound"})
"""What is put together for a text line, from what was bound."""


def set_up_logs(
    *, level: str = "INFO", style: str = "text", secrets: Iterable[str] = (), stream: TextIO | None = None
) -> None:
    """Send all logs, those of libraries too, to a stream (standard error). ``secrets`` are never shown."""
    long_enough = {secret for secret in secrets if len(secret) > 3}  # noqa: PLR2004 - shorter ones are no secrets
    # Text lines quote as JSON does too, but leave umlauts as they are.
    as_in_json = {
        json.dumps(secret, ensure_ascii=ascii_only)[1:-1]
        for secret in long_enough
        for ascii_only in (True, False)
    }
    hidden = sorted(long_enough | as_in_json, key=len, reverse=True)

    def masked(text: str) -> str:
        for secret in hidden:
            text = text.replace(secret, "•••")
        return mask_secrets(text)

    def write(message: Message) -> None:
        text = _as_json(message.record) if style == "json" else str(message)
        (stream or sys.stderr).write(masked(text))

    logger.remove()
    logger.configure(extra={"incident": ""}, patcher=_place)
    logger.add(write, level=level, format=_TEXT, backtrace=False, diagnose=False)
    logging.basicConfig(handlers=[_Intercept()], level=logging.WARNING, force=True)
    for chatty in ("httpx", "apscheduler", "slack_bolt", "slack_sdk", "aiohttp.access"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def _place(record: Record) -> None:
    extra = record["extra"]
    incident = extra.get("incident", "")
    said = record["message"]  # what was given to the message is in ``extra`` too
    bound = "  ".join(
        f"{name}={_quoted(str(value))}"
        for name, value in extra.items()
        if name not in {*_PLACES, "incident"} and str(value) not in said
    )
    extra["at"] = f"[{incident}] " if incident else ""
    extra["bound"] = f"  {bound}" if bound else ""


def _quoted(text: str) -> str:
    """Return a bound value as one word, or in quotes, on one line."""
    return text if text and text.isprintable() and " " not in text else json.dumps(text, ensure_ascii=False)


def _as_json(record: Record) -> str:
    extra = {name: value for name, value in record["extra"].items() if name not in _PLACES and value != ""}
    line = {
        "at": record["time"].isoformat(),
        "level": record["level"].name,
        "where": f"{record['name']}:{record['line']}",
        "message": record["message"],
        **extra,
    }
    if record["exception"] is not None:
        line["error"] = repr(record["exception"].value)
    return json.dumps(line, default=str) + "\n"


class _Intercept(logging.Handler):
    """Hands the records of libraries to loguru."""

    def emit(self, record: logging.LogRecord) -> None:
        frame, depth = inspect.currentframe(), 0
        while frame and (depth == 0 or frame.f_code.co_filename == logging.__file__):
            frame, depth = frame.f_back, depth + 1
        try:
            level: str | int = logger.level(record.levelname).name
        except ValueError:
            level = record.levelno
        logger.opt(depth=depth, exception=record.exc_info).log(level, "{}", record.getMessage())
