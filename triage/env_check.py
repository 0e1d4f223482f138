"""Whether ``.env`` is complete: what its template asks for is there, and the bots' image is pinned."""

from __future__ import annotations

from collections.abc import Mapping

from triage.wording import listed

IMAGE_KEY = "HUMMINGBOT_IMAGE"


def env_problems(env: Mapping[str, str], template: Mapping[str, str]) -> tuple[str, ...]:
    """Return what is wrong with ``.env`` against its template; values other than the image are never shown.

    A key may be empty where the template leaves it empty, too: ``${REDIS_PASSWORD:-}`` is meant so.
    """
    missing = sorted(key for key in template if key not in env)
    empty = sorted(key for key in template if template[key] and env.get(key) == "")
    image = env.get(IMAGE_KEY, "")
    problems = [f"missing: {listed(missing)}"] if missing else []
    problems += [f"empty: {listed(empty)}"] if empty else []
    if IMAGE_KEY in template and IMAGE_KEY in env and not image:
        problems.append(f"{IMAGE_KEY} is empty: no bot could start")
    elif "$" in image:
        problems.append(f"{IMAGE_KEY} is put together from variables ({image}): what it is cannot be checked")
    elif image and not pinned(image):
        problems.append(f"{IMAGE_KEY} is not pinned ({image}): name a version")
    return tuple(problems)


def pinned(image: str) -> bool:
    """Say whether a reference names one version of an image, by tag or by digest."""
    name, _, digest = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    return bool(digest) or tag not in {"", "latest"}
