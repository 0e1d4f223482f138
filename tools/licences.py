"""Write the licences of every package of this environment into one file, as a release must bring them.

``python tools/licences.py FILE``. It needs nothing but Python. A package that tells no licence ends it with an error.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib.metadata import Distribution, distributions
from pathlib import Path

_NAMES = ("LICEN", "COPYING", "NOTICE", "AUTHORS")
_NOT_OURS = frozenset({"pip", "hbot-triage"})
_LONG = 100


def licence_of(package: Distribution) -> str:
    """Return how a package names its licence, empty where it does not."""
    told = package.metadata.get_all("License-Expression") or []
    classes = [
        each.rpartition(" :: ")[2]
        for each in package.metadata.get_all("Classifier") or []
        if each.startswith("License ::")
    ]
    plain = [each.splitlines()[0] for each in package.metadata.get_all("License") or [] if each.strip()]
    return next(iter(told or [each for each in plain if len(each) < _LONG] or classes), "")


def texts_of(package: Distribution) -> list[str]:
    """Return the texts of the licence files that a package brings."""
    files = [each for each in package.files or [] if each.name.upper().startswith(_NAMES)]
    paths = sorted({Path(str(each.locate())) for each in files})
    return [path.read_text(encoding="utf-8", errors="replace").strip() for path in paths if path.is_file()]


def written(packages: Iterable[Distribution]) -> str:
    """Return the file's content, packages by name. Raises ValueError for one without any licence."""
    parts = []
    for package in sorted(packages, key=lambda each: each.name.lower()):
        licence, texts = licence_of(package), texts_of(package)
        if not licence and not texts:
            raise ValueError(f"{package.name} {package.version} tells no licence: look at its home page")
        head = f"{package.name} {package.version}: {licence or 'see the text'}"
        parts.append("\n\n".join([f"{head}\n{'=' * len(head)}", *texts]))
    return "\n\n\n".join(parts) + "\n"


def main(target: str) -> int:
    """Write them. Returns 1 where one has none."""
    try:
        content = written(each for each in distributions() if each.name not in _NOT_OURS)
    except ValueError as error:
        sys.stderr.write(f"licences: {error}\n")
        return 1
    Path(target).write_text(content, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
