"""How an action touches the desk: commands, config snapshots, ``.env``, controller files, images."""

from bot.desk.commands import HostCommands
from bot.desk.controllers import DeskControllers
from bot.desk.env_file import DeskEnvFile
from bot.desk.images import EngineImages
from bot.desk.snapshots import DeskSnapshots
from triage.desk import Desk
from triage.ports.actions import Hands


def desk_hands(desk: Desk, *, docker_host: str = "", secrets: tuple[str, ...] = ()) -> Hands:
    """Return the hands for a desk. ``secrets``: environment variables that commands must not be given."""
    return Hands(
        commands=HostCommands({"DOCKER_HOST": docker_host} if docker_host else {}, hide=secrets),
        snapshots=DeskSnapshots(desk.paths.data, desk.paths.backups),
        env=DeskEnvFile(desk.paths.env),
        controllers=DeskControllers(desk.paths.data),
        images=EngineImages(docker_host),
    )


__all__ = ["DeskControllers", "DeskEnvFile", "DeskSnapshots", "EngineImages", "HostCommands", "desk_hands"]
