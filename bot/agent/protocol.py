"""What may be said to the agent's socket: a closed set of typed requests, and the frames they are sent in.

One request a connection. A frame is four bytes of length (big endian) and JSON. Answered by any number of ``piece``
frames, where the answer comes in pieces, and one ``answer`` or ``error``. A request names bots, containers, times and
digests; there is no field for an argument, a path, an image's name or a command line.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from triage.action_kinds import KIND
from triage.desk_sections.names import Name
from triage.plans.agent_orders import Order, Sha256, Stamp

REQUEST_MAX = 512 * 1024
"""A form of Slack's is 50 KB; everything else is a few hundred bytes."""
ANSWER_MAX = 8 * 1024 * 1024
REQUEST_SECONDS = 5.0
"""How long a request may take to arrive."""
STEPS_MAX = 100

Container = Annotated[str, Field(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}$")]
Token = Annotated[str, Field(pattern=r"^[0-9a-f]{24}$")]
Line = Annotated[str, Field(min_length=1, max_length=500)]
Person = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:/-]{1,64}$")]


class Ask(BaseModel):
    """A request: exactly these fields, of exactly these types."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class Hello(Ask):
    """Asks who the agent is and which desk it serves; refused where its engine does not answer."""

    ask: Literal["hello"] = "hello"


class Inspect(Ask):
    """One container of the desk."""

    ask: Literal["inspect"] = "inspect"
    container: Container


class ListContainers(Ask):
    """The desk's containers."""

    ask: Literal["containers"] = "containers"


class CodeTimes(Ask):
    """The times of the code, or of the configuration, in a bot's container."""

    ask: Literal["code_times", "configuration_times"] = "code_times"
    container: Container


class LastLines(Ask):
    """The last lines of a bot's container, since a time in seconds since 1970: capped and masked."""

    ask: Literal["last_lines"] = "last_lines"
    container: Container
    since: Annotated[float, Field(ge=0, le=1e11)]


class History(Ask):
    """Past events of the desk's containers; times in seconds since 1970."""

    ask: Literal["history"] = "history"
    since: Annotated[float, Field(ge=0, le=1e11)]
    until: Annotated[float, Field(ge=0, le=1e11)]


class FollowEvents(Ask):
    """Events of the desk's containers, from a time on, as they come."""

    ask: Literal["events"] = "events"
    since: Annotated[float, Field(ge=0, le=1e11)]


class ListImages(Ask):
    """The images of the repositories that the desk's containers are made from."""

    ask: Literal["images"] = "images"


class ListSnapshots(Ask):
    """A bot's snapshots."""

    ask: Literal["snapshots"] = "snapshots"
    bot: Name


class Archive(Ask):
    """One question about one snapshot: its checksum, the room it needs, or what it would change (masked)."""

    ask: Literal["checksum", "room_to_extract", "differences"]
    bot: Name
    stamp: Stamp
    before_rollback: bool


class Folder(Ask):
    """One question about a bot's folder: the room a snapshot needs, or why it cannot be exchanged."""

    ask: Literal["room_to_take", "why_not_swap"]
    bot: Name


class Swapped(Ask):
    """Whether an action's exchange of a bot's folder happened."""

    ask: Literal["swapped"] = "swapped"
    bot: Name
    token: Token


class Env(Ask):
    """The keys of ``.env`` or its template: values of the known keys, of others whether there is one."""

    ask: Literal["env", "env_template"]


class ReadControllers(Ask):
    """What plans and checks read of a bot's controller files."""

    ask: Literal["controllers"] = "controllers"
    bot: Name


class OfProject(Ask):
    """What Compose says of the files now: a service's hash or image, what ``up`` would recreate or ``down`` end."""

    ask: Literal["hashes", "service_images", "rehearsed", "taken_down", "project_name"]
    external: bool


class SignedForm(Ask):
    """A form as Slack sent it."""

    body: Annotated[str, Field(max_length=400_000)]
    timestamp: Annotated[str, Field(max_length=20)]
    signature: Annotated[str, Field(max_length=100)]


class Confirm(Ask):
    """A plan that somebody confirms now."""

    ask: Literal["confirm"] = "confirm"
    action: Token
    kind: Annotated[str, Field(pattern=f"^{KIND}$")]
    target: Name
    orders: Annotated[tuple[tuple[int, Order], ...], Field(min_length=1, max_length=STEPS_MAX, strict=False)]
    rest: Sha256
    actor: Person
    reason: Line
    signed: SignedForm | None = None


class Perform(Ask):
    """Carry out one step of a plan that was confirmed."""

    ask: Literal["perform"] = "perform"
    action: Token
    step: Annotated[int, Field(ge=1, le=STEPS_MAX)]


class End(Ask):
    """An action is over; or it is over and what it left is to be removed."""

    ask: Literal["end", "tidy"]
    action: Token


class KeepSnapshot(Ask):
    """Take a bot's nightly snapshot."""

    ask: Literal["keep_snapshot"] = "keep_snapshot"
    bot: Name


class Anchor(Ask):
    """Note down the head of the audit trail."""

    ask: Literal["anchor"] = "anchor"
    sequence: Annotated[int, Field(ge=0, le=2**53)]
    digest: Sha256


Request = Annotated[
    Hello
    | Inspect
    | ListContainers
    | CodeTimes
    | LastLines
    | History
    | FollowEvents
    | ListImages
    | ListSnapshots
    | Archive
    | Folder
    | Swapped
    | Env
    | ReadControllers
    | OfProject
    | Confirm
    | Perform
    | End
    | KeepSnapshot
    | Anchor,
    Field(discriminator="ask"),
]
REQUESTS: TypeAdapter[Request] = TypeAdapter(Request)


class BrokenFrame(Exception):
    """What came is no frame: too long, cut off, or no JSON."""


async def read_frame(reader: asyncio.StreamReader, most: int) -> Any:  # noqa: ANN401 - what JSON can be
    """Read a frame. Raises BrokenFrame."""
    try:
        size = int.from_bytes(await reader.readexactly(4), "big")
        if size > most:
            raise BrokenFrame(f"a frame of {size} bytes; {most} are the most")
        return json.loads(await reader.readexactly(size))
    except (asyncio.IncompleteReadError, ConnectionError) as error:
        raise BrokenFrame("the connection ended within a frame") from error
    except (ValueError, RecursionError) as error:
        raise BrokenFrame("a frame that is no JSON") from error


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """Return the JSON text of a request, not parsed yet. Raises BrokenFrame, TimeoutError."""
    async with asyncio.timeout(REQUEST_SECONDS):
        try:
            size = int.from_bytes(await reader.readexactly(4), "big")
            if size > REQUEST_MAX:
                raise BrokenFrame(f"a request of {size} bytes; {REQUEST_MAX} are the most")
            return await reader.readexactly(size)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise BrokenFrame("the connection ended within a request") from error


def frame(value: object) -> bytes:
    """Return a value as a frame."""
    text = json.dumps(value, default=_plain, separators=(",", ":")).encode()
    return len(text).to_bytes(4, "big") + text


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return asdict(value)  # type: ignore[call-overload] # what the agent answers with are dataclasses
