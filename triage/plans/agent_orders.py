"""What is sent to the agent: a plan's steps that touch the desk, without one argument, path, image or command line.

A bot, a service, a time, a number, yes or no: that is all an order holds. Images, controller files and old values are
named by the SHA-256 of their names; the agent looks for the one it knows itself that has it. What an order does is
resolved by the agent from its own desk.yaml (see ``bot.agent.order_executor``).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Annotated, Literal

from pydantic import Field

from triage.desk_sections.names import Name
from triage.errors import DeskFailure
from triage.plans import operations

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Stamp = Annotated[str, Field(pattern=r"^[0-9]{8}_[0-9]{6}$")]
"""When a snapshot was taken, as its name has it: ``20260221_041500``."""
_ARCHIVE = re.compile(r"(?P<bot>[A-Za-z0-9][\w.-]*?)_(?P<pre>pre_rollback_)?(?P<stamp>\d{8}_\d{6})\.tar\.gz")


@dataclass(frozen=True, slots=True)
class ComposeOrder:
    """One of the calls of Docker Compose that the catalogue has."""

    verb: operations.Verb
    service: Name | Literal[""] = ""
    external: bool = True
    order: Literal["compose"] = "compose"


@dataclass(frozen=True, slots=True)
class RemoveCachesOrder:
    """Remove the configured folders of bytecode in a bot's container."""

    bot: Name
    order: Literal["remove_caches"] = "remove_caches"


@dataclass(frozen=True, slots=True)
class TakeSnapshotOrder:
    """Take the snapshot that a rollback begins with."""

    bot: Name
    stamp: Stamp
    order: Literal["take_snapshot"] = "take_snapshot"


@dataclass(frozen=True, slots=True)
class ExtractOrder:
    """Verify a snapshot by its checksum and extract it beside the bot's folder."""

    bot: Name
    stamp: Stamp
    before_rollback: bool
    sha256: Sha256
    order: Literal["extract"] = "extract"


@dataclass(frozen=True, slots=True)
class SwapOrder:
    """Exchange the bot's folder for the one that this action extracted."""

    bot: Name
    order: Literal["swap"] = "swap"


@dataclass(frozen=True, slots=True)
class DiscardOrder:
    """Remove the folder that this action replaced."""

    bot: Name
    order: Literal["discard"] = "discard"


@dataclass(frozen=True, slots=True)
class SetImageOrder:
    """Set the bots' image in ``.env`` to one that the engine has; ``image`` and ``was`` are names' digests."""

    image: Sha256
    was: Sha256
    order: Literal["set_image"] = "set_image"


@dataclass(frozen=True, slots=True)
class SetControllerOrder:
    """Change one of the known booleans of one of a bot's controllers; ``file`` is its path's digest."""

    bot: Name
    file: Sha256
    key: Literal["internal_paper_enabled"]
    value: bool
    order: Literal["set_controller"] = "set_controller"


Order = Annotated[
    ComposeOrder
    | RemoveCachesOrder
    | TakeSnapshotOrder
    | ExtractOrder
    | SwapOrder
    | DiscardOrder
    | SetImageOrder
    | SetControllerOrder,
    Field(discriminator="order"),
]
"""Any order."""

IMAGE_KEYS = frozenset({"HUMMINGBOT_IMAGE"})
SWITCHES = frozenset({"internal_paper_enabled"})


SECONDS: Mapping[type, float] = {
    TakeSnapshotOrder: 600.0,
    ExtractOrder: 600.0,
    SwapOrder: 120.0,
    DiscardOrder: 600.0,
    SetImageOrder: 15.0,
    SetControllerOrder: 15.0,
}
"""What an order that works on the desk's files may take; a command has a limit of its own, which ends the command."""


def named(text: str) -> str:
    """Return what stands for a name on the wire: its SHA-256 (hex)."""
    return hashlib.sha256(text.encode()).hexdigest()


def token_of(handle: str) -> str:
    """Return the name of an action in orders, files and records: nothing that would open its button."""
    return hashlib.sha256(f"action {handle}".encode()).hexdigest()[:24]


def archive_name(bot: str, stamp: str, *, before_rollback: bool) -> str:
    """Return a snapshot's file name."""
    return f"{bot}_{'pre_rollback_' if before_rollback else ''}{stamp}.tar.gz"


def archive_parts(name: str) -> tuple[str, str, bool]:
    """Return a snapshot's bot, stamp, and whether it is one of before a rollback. Raises DeskFailure."""
    found = _ARCHIVE.fullmatch(name)
    if found is None:
        raise DeskFailure(f"{name!r} is not the name of a snapshot (<bot>_<YYYYmmdd_HHMMSS>.tar.gz)")
    return found["bot"], found["stamp"], found["pre"] is not None


def is_archive_of(bot: str, name: str) -> bool:
    """Tell whether a file's name is that of a snapshot of a bot."""
    found = _ARCHIVE.fullmatch(name)
    return found is not None and found["bot"] == bot


def _archive(bot: str, name: str) -> tuple[str, bool]:
    of, stamp, before = archive_parts(name)
    if of != bot:
        raise DeskFailure(f"{name!r} is no snapshot of {bot}")
    return stamp, before


def order_of(op: operations.Op) -> Order | None:  # noqa: PLR0911 - one row an operation
    """Return what the agent is asked for a step; None for one that only looks, or speaks to Redis. Raises DeskFailure."""
    match op:
        case operations.ComposeCall(verb=verb, service=service, external=external):
            return ComposeOrder(verb, service, external)
        case operations.RemoveCaches(bot=bot):
            return RemoveCachesOrder(bot)
        case operations.TakeSnapshot(bot=bot, archive=archive):
            return TakeSnapshotOrder(bot, _archive(bot, archive)[0])
        case operations.Extract(bot=bot, archive=archive, sha256=sha256):
            return ExtractOrder(bot, *_archive(bot, archive), sha256)
        case operations.Swap(bot=bot):
            return SwapOrder(bot)
        case operations.Discard(bot=bot):
            return DiscardOrder(bot)
        case operations.SetEnv(key=key, value=value, was=was) if key in IMAGE_KEYS:
            return SetImageOrder(named(value), named(was))
        case operations.SetController(bot=bot, file=file, value=value):
            return SetControllerOrder(bot, named(file), "internal_paper_enabled", value)
        case operations.SetEnv(key=key):
            raise DeskFailure(f"{key} of .env is not set by any action")
        case _:
            return None


def orders_of(ops: Sequence[operations.Op]) -> tuple[tuple[int, Order], ...]:
    """Return the orders of a plan's steps, each with the step's number (from 1)."""
    found = ((number, order_of(op)) for number, op in enumerate(ops, start=1))
    return tuple((number, order) for number, order in found if order is not None)


def digest_of(kind: str, target: str, orders: Sequence[tuple[int, Order]], rest: str) -> str:
    """Return the SHA-256 (hex) of a plan: of what is done, and of the digest of everything else that was shown."""
    done = [[number, asdict(order)] for number, order in orders]
    text = json.dumps([kind, target, done, rest], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Allowed:
    """One order that a plan of a kind may hold at its place: of this type, with these values; the others are free."""

    order: type
    values: Mapping[str, str | bool]
    optional: bool = False

    def fits(self, order: Order) -> bool:
        """Whether an order is this one."""
        return type(order) is self.order and all(
            getattr(order, name) == value for name, value in self.values.items()
        )


def allowed(order: type, *, optional: bool = False, **values: str | bool) -> Allowed:
    """Return a place of a plan. Raises TypeError for a value that such an order has not."""
    known = {field.name for field in fields(order)}
    if not values.keys() <= known:
        raise TypeError(f"{order.__name__} has no {', '.join(sorted(values.keys() - known))}")
    return Allowed(order, values, optional)


def fit(orders: Sequence[Order], places: Sequence[Allowed]) -> bool:
    """Whether orders are those of the places, each in its turn; optional places may be left out."""
    if not orders or not places:
        return not orders and all(place.optional for place in places)
    first, *rest = places
    if first.fits(orders[0]) and fit(orders[1:], rest):
        return True
    return first.optional and fit(orders, rest)
