"""Whether compose would find the desk's own containers, by their labels; images; what would be made anew."""

from dataclasses import dataclass, field, replace

import pytest

from tests.fakes.sources import NOW, FakeContainers, FakeSources, container
from triage.actions.base import ActionContext
from triage.actions.compose import argv
from triage.actions.kinds.stop_desk import ACTION
from triage.actions.orphans import left_running
from triage.actions.project import (
    images_here,
    made_anew,
    project_fits,
    recreated,
)
from triage.desk import Desk
from triage.plans.plan import DESK, Holds
from triage.plans.verification import VerificationOutcome
from triage.ports.actions import DeskAccess, Image, ServiceImage, TakenDown
from triage.ports.sources import (
    ENV_FILE_LABEL,
    FILES_LABEL,
    FOLDER_LABEL,
    HASH_LABEL,
    PROJECT_LABEL,
    SERVICE_LABEL,
    ContainerState,
)

FOLDER_OF_DESK = "/srv/hbot/compose"


@dataclass
class Env:
    """``.env`` as the test says."""

    values: dict[str, str] = field(default_factory=dict)

    async def read(self) -> dict[str, str]:
        """Answer."""
        return self.values

    async def template(self) -> dict[str, str]:
        """Answer the same keys."""
        return self.values


@dataclass
class Host:
    """Images and hashes as the test says; ``wanted``: the image of each service."""

    tags: tuple[str, ...] = ()
    written: dict[str, str] = field(default_factory=dict)
    wanted: dict[str, str] = field(default_factory=dict)
    anew: tuple[str, ...] | None = None
    named: str = ""
    ended: TakenDown = field(default_factory=lambda: TakenDown((), ()))

    async def list(self, repository: str) -> tuple[Image, ...]:
        """Answer the tags of a repository."""
        return tuple(Image(tag, "i", 1, NOW) for tag in self.tags if tag.rpartition(":")[0] == repository)

    async def hashes(self, *, external: bool) -> dict[str, str]:
        """Answer the hashes."""
        assert external
        return self.written

    async def rehearsed(self, *, external: bool) -> tuple[str, ...] | None:
        """Answer the rehearsal."""
        assert external
        return self.anew

    async def taken_down(self) -> TakenDown:
        """Answer what down would end."""
        return self.ended

    async def name(self) -> str:
        """Answer the project's name as the files give it."""
        return self.named

    async def images(self, *, external: bool) -> dict[str, ServiceImage]:
        """Answer the images."""
        assert external
        return {name: ServiceImage(image, image in self.tags) for name, image in self.wanted.items()}


def made(service: str = "bot1", **labels: str) -> ContainerState:
    """A container as compose makes it for the desk."""
    usual = {
        PROJECT_LABEL: "hbot",
        SERVICE_LABEL: service,
        FOLDER_LABEL: FOLDER_OF_DESK,
        FILES_LABEL: "docker-compose.yml",
        HASH_LABEL: "1",
    }
    return container(f"hbot-{service}", labels=usual | labels)


def context(
    *states: ContainerState,
    target: str = "bot1",
    host: Host | None = None,
    files: tuple[str, ...] = (),
    env: dict[str, str] | None = None,
) -> ActionContext:
    """A planned action on a desk with these containers, compose files and keys of .env."""
    compose = {"files": files} if files else {}
    desk = Desk.model_validate(
        {"paths": {"compose": FOLDER_OF_DESK, "env": "/srv/hbot/env/.env"}, "compose": compose}
    )
    sources = FakeSources(containers=FakeContainers())
    sources.containers.hold(*states)
    looks = host or Host()
    known = Env({"HUMMINGBOT_IMAGE": "hbot/bot:v2", **(env or {})})
    access = DeskAccess(snapshots=None, env=known, controllers=None, images=looks, project=looks, agent=None)  # type: ignore[arg-type] # what is not asked
    return ActionContext(desk=desk, sources=sources.port, access=access, now=NOW, target=target, token="t")


async def test_the_desk_s_own_project_fits() -> None:
    """Project, service, folder and files as the labels say."""
    found = await project_fits(context(made()))
    assert (found.holds, found.text) == (Holds.YES, "compose project hbot, as the containers' labels say")


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ({PROJECT_LABEL: "kzay-capital"}, "Set compose.project to kzay-capital"),
        ({FOLDER_LABEL: "/home/ops/compose"}, "was made from /home/ops/compose"),
        (
            {FILES_LABEL: "docker-compose.yml,extra.yml"},
            "set compose.files to [docker-compose.yml, extra.yml]",
        ),
        ({SERVICE_LABEL: "bot9"}, "is the service bot9 of compose"),
    ],
)
async def test_another_project_folder_or_file_is_refused(labels: dict[str, str], words: str) -> None:
    """Before anything is touched, with the mend."""
    found = await project_fits(context(made(**labels)))
    assert found.holds is Holds.NO
    assert words in found.text


async def test_files_are_compared_as_paths() -> None:
    """Compose 2 writes them whole, and takes an override beside the default by itself."""
    whole = f"{FOLDER_OF_DESK}/docker-compose.yml,{FOLDER_OF_DESK}/docker-compose.override.yml"
    assert (await project_fits(context(made(**{FILES_LABEL: whole})))).holds is Holds.YES


SEVERAL = ("docker-compose.yml", "live/limits.yml")


@pytest.mark.parametrize(
    ("written", "files", "env", "fits"),
    [
        ("docker-compose.yml,live/limits.yml", SEVERAL, {}, True),
        (f"{FOLDER_OF_DESK}/docker-compose.yml,{FOLDER_OF_DESK}/live/limits.yml", SEVERAL, {}, True),
        ("docker-compose.yml,live/limits.yml", (), {"COMPOSE_FILE": ":".join(SEVERAL)}, True),
        (
            "docker-compose.yml,live/limits.yml",
            (),
            {"COMPOSE_FILE": ";".join(SEVERAL), "COMPOSE_PATH_SEPARATOR": ";"},
            True,
        ),
        ("live/limits.yml,docker-compose.yml", SEVERAL, {}, False),
        ("docker-compose.yml", SEVERAL, {}, False),
        ("docker-compose.yml,live/limits.yml", (), {}, False),
        ("docker-compose.yml", (), {"COMPOSE_FILE": ":".join(SEVERAL)}, False),
    ],
)
async def test_several_files_are_compared_in_their_order(
    written: str, files: tuple[str, ...], env: dict[str, str], *, fits: bool
) -> None:
    """As desk.yaml names them, or COMPOSE_FILE of .env; another order is another configuration."""
    found = await project_fits(context(made(**{FILES_LABEL: written}), files=files, env=env))
    assert (found.holds is Holds.YES) is fits, found


@pytest.mark.parametrize(("now", "holds"), [("1", Holds.YES), ("2", Holds.NO)])
async def test_a_container_that_other_files_left_as_it_is_fits(now: str, holds: Holds) -> None:
    """A file was added or dropped that says nothing of its service: Compose keeps it, with the files of before."""
    before = made(**{FILES_LABEL: "docker-compose.yml,dropped.yml"})
    assert (await project_fits(context(before, host=Host(written={"bot1": now})))).holds is holds


@pytest.mark.parametrize(
    ("env_file", "now", "holds"),
    [
        (f"{FOLDER_OF_DESK}/../env/.env", "2", Holds.YES),
        ("/srv/hbot/env/prod.env", "2", Holds.NO),
        ("/srv/hbot/env/prod.env", "1", Holds.YES),
        ("/srv/hbot/env/.env,/srv/hbot/env/more.env", "2", Holds.NO),
    ],
)
async def test_a_container_that_was_made_with_another_env_file_is_refused(
    env_file: str, now: str, holds: Holds
) -> None:
    """Compose 2 tells which; where its hash is the one of now, the values come to the same."""
    found = await project_fits(context(made(**{ENV_FILE_LABEL: env_file}), host=Host(written={"bot1": now})))
    assert found.holds is holds
    assert ("compose would be called with /srv/hbot/env/.env" in found.text) is (holds is Holds.NO)


async def test_files_in_another_folder_make_that_one_the_project_s() -> None:
    """Compose takes relative paths from the folder of the first file."""
    below = {FOLDER_LABEL: f"{FOLDER_OF_DESK}/live", FILES_LABEL: "live/base.yml"}
    assert (await project_fits(context(made(**below), files=("live/base.yml",)))).holds is Holds.YES
    assert (await project_fits(context(made(**below)))).holds is Holds.NO


@pytest.mark.parametrize(
    ("command", "fits"),
    [
        (("docker", "compose", "--project-directory", ".."), True),
        (("docker", "compose", "--project-directory=/srv/hbot"), True),
        (("docker", "compose"), False),
        (("docker", "compose", "--project-directory", "/srv/other"), False),
    ],
)
async def test_the_command_may_name_the_project_s_folder(command: tuple[str, ...], *, fits: bool) -> None:
    """``--project-directory`` goes before the first file's folder."""
    ctx = context(made(**{FOLDER_LABEL: "/srv/hbot", FILES_LABEL: "compose/docker-compose.yml"}))
    compose = ctx.desk.compose.model_copy(update={"command": command})
    found = await project_fits(replace(ctx, desk=ctx.desk.model_copy(update={"compose": compose})))
    assert (found.holds is Holds.YES) is fits, found


async def test_a_second_desk_is_not_made_under_a_wrong_name() -> None:
    """Nothing runs that could be compared: the name that .env or the file gives is."""
    refused = await project_fits(context(host=Host(named="alpha"), target=DESK))
    assert refused.holds is Holds.NO
    assert "Set compose.project to alpha" in refused.text
    assert (await project_fits(context(host=Host(named="hbot"), target=DESK))).holds is Holds.YES
    assert (await project_fits(context(host=Host(), target=DESK))).holds is Holds.YES


async def test_of_a_service_with_several_containers_it_is_said_that_one_is_looked_at() -> None:
    """Compose acts on each of them."""
    more = replace(made(), name="hbot-bot1-2", id="2")
    found = await project_fits(context(made(), more))
    assert found.holds is Holds.WARNING
    assert "bot1 runs as 2 containers (hbot-bot1, hbot-bot1-2)" in found.text


async def test_a_service_under_another_name_is_told() -> None:
    """The label is believed, not the template."""
    found = await project_fits(context(replace(made(), name="bot1")))
    assert found.holds is Holds.NO
    assert "bot1 runs as container bot1, desk.yaml expects hbot-bot1" in found.text


async def test_one_strange_container_stops_an_action_on_the_desk() -> None:
    """Not only the target's own is compared."""
    found = await project_fits(context(made(), made("redis", **{PROJECT_LABEL: "other"}), target=DESK))
    assert found.holds is Holds.NO


async def test_an_image_that_is_not_here_stops_the_action() -> None:
    """As compose would take it now, of any service; of a bot whose profile is off, the pinned one."""
    wanted = {"bot1": "hbot/bot:v2", "redis": "redis:7.2"}
    missing = await images_here(context(made(), host=Host(("redis:7.2",), wanted=wanted)))
    assert (missing.holds, "hbot/bot:v2" in missing.text) == (Holds.NO, True)
    here = Host(("hbot/bot:v2",), wanted=wanted)
    assert (await images_here(context(made(), host=here))).holds is Holds.YES
    assert (await images_here(context(target="redis", host=here))).holds is Holds.NO
    assert (await images_here(context(target=DESK, host=here))).holds is Holds.NO
    assert (await images_here(context(target=DESK, host=here), ("bot1",))).holds is Holds.YES
    assert (await images_here(context(target="bot3", host=Host()))).holds is Holds.NO
    assert (await images_here(context(target="bot3", host=here))).holds is Holds.YES


async def test_what_would_be_made_anew_is_named() -> None:
    """By compose's hashes against the labels; what does not run is not made *anew*."""
    host = Host(written={"bot1": "1", "bot2": "9", "bot3": "1"})
    assert await recreated(context(made(), made("bot2"), target=DESK, host=host)) == ("bot2",)


async def test_compose_s_own_rehearsal_goes_before_its_hashes() -> None:
    """It knows of another image under the same name too; and a name that is nobody's here is none of ours."""
    host = Host(written={"bot1": "9"}, anew=("hbot-bot2", "other"))
    ctx = context(made(), made("bot2"), target=DESK, host=host)
    assert await recreated(ctx) == ("bot2",)
    assert (await made_anew(ctx)).startswith("recreates bot2: ")
    assert (await made_anew(ctx, ("bot1",))).startswith("recreates nothing")


def test_without_a_profile_left_those_of_the_env_file_do_not_count() -> None:
    """In degraded mode COMPOSE_PROFILES would start the external stack that was just stopped."""
    desk = Desk.model_validate({"compose": {"profiles": ["external"]}})
    assert argv(desk, "up_rest", external=False)[-5:] == ("--profile", "", "up", "-d", "--no-recreate")
    assert argv(desk, "up_rest")[-5:] == ("--profile", "external", "up", "-d", "--no-recreate")


@pytest.mark.parametrize(
    ("ended", "taken"),
    [
        (TakenDown(containers=("hbot-bot1",), services=()), ()),
        (TakenDown(containers=("hbot-bot1", "hbot-bot3"), services=()), ("hbot-bot3",)),
        (TakenDown(containers=(), services=("bot1", "bot3", "redis")), ("hbot-bot3",)),
    ],
)
async def test_the_plan_foretells_what_runs_on_and_what_is_taken_down_too(
    ended: TakenDown, taken: tuple[str, ...]
) -> None:
    """By compose's rehearsal, or by the services of its files where it has none."""
    lodger = replace(made("lodger"), name="hbot-lodger")
    ctx = context(made(), made("bot3"), lodger, target=DESK, host=Host(written={"bot1": "1"}, ended=ended))
    said = await left_running(ctx)
    left = [name for name in ("hbot-bot3", "hbot-lodger") if name not in taken]
    assert said[-1].startswith(f"{', '.join(left)} run{'s' if len(left) == 1 else ''} on, of this project")
    assert [one.startswith(f"takes {taken[0]} down too") for one in said[:-1] if taken] == [True] * len(taken)
    assert len(said) == 1 + len(taken)


async def test_what_runs_on_is_named_before_and_after() -> None:
    """No file has its service any more, or its profile is not called. Another project's is none."""
    lodger = replace(made("lodger"), name="hbot-lodger")
    guest = replace(made("guest", **{PROJECT_LABEL: "other"}), name="guest")
    host = Host(written={"bot1": "1"})
    ctx = context(made(), made("bot3"), lodger, guest, target=DESK, host=host)
    (said,) = await left_running(ctx)
    assert said.startswith("hbot-bot3, hbot-lodger run on, of this project and of no service")
    assert said.endswith("; docker stop ends it")
    before, down = await ACTION.observe(ctx, ()), context(lodger, guest, target=DESK, host=host)
    verified = ACTION.judge(before, await ACTION.observe(down, ()))
    assert verified.outcome is VerificationOutcome.RECOVERED
    assert verified.why.startswith("hbot-lodger runs on, of this project")
    verified = ACTION.judge(before, await ACTION.observe(context(made("bot3"), target=DESK, host=host), ()))
    assert verified.outcome is VerificationOutcome.PERSISTING
    assert verified.why.startswith("Services stopped: running: bot3; ")
    assert "; hbot-bot3 runs on, of this project" in verified.why
    emptied = context(target=DESK, host=host)
    assert ACTION.judge(before, await ACTION.observe(emptied, ())).why == ""
    assert await left_running(emptied) == ()
