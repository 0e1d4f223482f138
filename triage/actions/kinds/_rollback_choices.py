"""What a rollback can return to: snapshots with age, size, image, checksum and "known good"; previous images."""

from __future__ import annotations

from triage.actions.base import ActionContext, ArgumentChoice, Option
from triage.actions.snapshots import is_good
from triage.env_check import IMAGE_KEY
from triage.errors import DeskFailure, Refused, SourceError
from triage.ports.actions import Image, Snapshot
from triage.wording import duration, size

WHATS = {"config": "Config snapshot", "image": "Previous image", "both": "Both"}
_LISTED = 40
"""Of both kinds; a choice in a form takes 100."""
_PRE = "_pre_rollback_"


def what_of(ctx: ActionContext) -> str:
    """Return what is to be rolled back: config | image | both."""
    what = ctx.arguments.get("what", "config")
    if what not in WHATS:
        raise Refused(f"A rollback is of {', '.join(WHATS)}; {what!r} is none of them.")
    return what


async def choices_of(ctx: ActionContext) -> tuple[ArgumentChoice, ...]:
    """Return the choices that matter for what is to be rolled back."""
    what = what_of(ctx)
    choices = [
        ArgumentChoice(
            "what", "Roll back", tuple(Option(value, label) for value, label in WHATS.items()), what
        )
    ]
    if what in {"config", "both"}:
        snapshots = (await ctx.access.snapshots.list(ctx.target))[:_LISTED]
        if snapshots:
            chosen = await chosen_snapshot(ctx)
            options = tuple([Option(one.name, await _describe(ctx, one)) for one in snapshots])
            choices.append(ArgumentChoice("snapshot", "Snapshot", options, chosen.name))
    if what in {"image", "both"}:
        images = [image for image in await _images(ctx) if image.tag != await current_image(ctx)][:_LISTED]
        if images:
            options = tuple(Option(image.tag, _describe_image(ctx, image)) for image in images)
            choices.append(ArgumentChoice("image", "Image", options, await chosen_image(ctx)))
    return tuple(choices)


async def chosen_snapshot(ctx: ActionContext) -> Snapshot:
    """Return the chosen archive; else the newest known good one, else the newest usual one. Raises Refused."""
    snapshots = await ctx.access.snapshots.list(ctx.target)
    wanted = ctx.arguments.get("snapshot", "")
    if wanted:
        found = next((one for one in snapshots if one.name == wanted), None)
        if found is None:
            raise Refused(f"There is no snapshot {wanted} of {ctx.target} any more.")
        return found
    usual = [one for one in snapshots if _PRE not in one.name]
    good = [one for one in usual if is_good(ctx.snapshots.get(one.name))]
    if not usual:
        raise Refused(f"There is no snapshot of {ctx.target} in {ctx.desk.paths.backups}.")
    return (good or usual)[0]


async def chosen_image(ctx: ActionContext) -> str:
    """Return the chosen image; else the newest other one of the same repository. Raises Refused, SourceError."""
    wanted = ctx.arguments.get("image", "")
    if wanted:
        return wanted
    current = await current_image(ctx)
    images = await _images(ctx)
    names = [image.tag for image in images]
    # The previous one: behind the current one where that is known, else the newest other one.
    older = names[names.index(current) + 1 :] if current in names else names
    others = [name for name in (*older, *names) if name != current and not name.endswith(":latest")]
    if not others:
        raise Refused(f"There is no other image of {current.rpartition(':')[0]} on this host.")
    return others[0]


async def current_image(ctx: ActionContext) -> str:
    """Return the image that ``.env`` pins. Raises Refused where it pins none."""
    image = (await ctx.access.env.read()).get(IMAGE_KEY, "")
    if not image:
        raise Refused(f".env has no {IMAGE_KEY}.")
    return image


async def _images(ctx: ActionContext) -> tuple[Image, ...]:
    try:
        return await ctx.access.images.list((await current_image(ctx)).rpartition(":")[0])
    except SourceError as error:
        raise Refused(f"The images of this host cannot be listed: {error.why}.") from error


async def _describe(ctx: ActionContext, snapshot: Snapshot) -> str:
    """Return e.g. ``✓ known good · 2 d 3 h old · 1.2 MiB · v1 · 3f2a9c1b``, at most 75 characters."""
    facts = ctx.snapshots.get(snapshot.name, {})
    try:
        checksum = (facts.get("sha256") or await ctx.access.snapshots.checksum(snapshot.name))[:8]
    except DeskFailure:
        checksum = "unreadable"
    parts = [
        "✓ known good" if is_good(facts) else "",
        "pre-rollback" if _PRE in snapshot.name else "",
        f"{duration((ctx.now - snapshot.taken_at).total_seconds())} old",
        size(snapshot.size),
        facts.get("image", "").rpartition(":")[2],
        checksum,
    ]
    return " · ".join(part for part in parts if part)[:75]


def _describe_image(ctx: ActionContext, image: Image) -> str:
    age = duration((ctx.now - image.created_at).total_seconds())
    tag = image.tag.rpartition("/")[2]
    return f"{tag[:40]} · {age} old · {size(image.size)} · {image.id.removeprefix('sha256:')[:8]}"[:75]
