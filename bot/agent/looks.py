"""The requests to the agent that change nothing, each with who answers it."""

from __future__ import annotations

from bot.agent import protocol as p
from bot.agent.desk_reader import DeskReader
from triage.errors import Refused
from triage.model import utc


async def look(looks: DeskReader, request: p.Request) -> object:  # noqa: C901, PLR0911, PLR0912 - one row a request
    """Answer a request that changes nothing. Raises DeskFailure, SourceError."""
    match request:
        case p.Inspect(container=container):
            return await looks.inspect(container)
        case p.ListContainers():
            return await looks.containers()
        case p.CodeTimes(container=container, ask=ask):
            return await looks.code_times(container, configuration=ask == "configuration_times")
        case p.LastLines(container=container, since=since):
            return await looks.last_lines(container, utc(since))
        case p.History(since=since, until=until):
            return await looks.history(utc(since), utc(until))
        case p.ListImages():
            return await looks.images()
        case p.ListSnapshots(bot=bot):
            return await looks.snapshots.list(looks.bot(bot))
        case p.Archive(ask="checksum"):
            return await looks.snapshots.checksum(_archive(looks, request))
        case p.Archive(ask="differences", bot=bot):
            return await looks.snapshots.differences(bot, _archive(looks, request))
        case p.Archive():
            return await looks.snapshots.room_to_extract(_archive(looks, request))
        case p.Folder(ask="room_to_take", bot=bot):
            return await looks.snapshots.room_to_take(looks.bot(bot))
        case p.Folder(bot=bot):
            return await looks.snapshots.why_not_swap(looks.bot(bot))
        case p.Swapped(bot=bot, token=token):
            return await looks.snapshots.swapped(looks.bot(bot), token)
        case p.Env(ask=ask):
            return await looks.read_env(template=ask == "env_template")
        case p.ReadControllers(bot=bot):
            return await looks.read_controllers(bot)
        case p.OfProject(ask="hashes", external=external):
            return await looks.project.hashes(external=external)
        case p.OfProject(ask="rehearsed", external=external):
            return await looks.project.rehearsed(external=external)
        case p.OfProject(ask="taken_down"):
            return await looks.project.taken_down()
        case p.OfProject(ask="project_name"):
            return await looks.project.name()
        case p.OfProject(external=external):
            return await looks.project.images(external=external)
        case _:  # pragma: no cover - the requests that change something are answered above
            raise Refused("that is no look")


def _archive(looks: DeskReader, request: p.Archive) -> str:
    return looks.archive(request.bot, request.stamp, before_rollback=request.before_rollback)
