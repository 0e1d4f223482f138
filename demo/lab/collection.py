"""The faults: the lab's own, or anybody's from a folder of Python files that each hold one ``FAULT``."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from demo.lab import faults as own
from demo.lab.fault import NO_CAUSE_FOUND, Fault
from triage.diagnosis.causes import RULES


def own_faults() -> list[Fault]:
    """Return the lab's own faults, by name."""
    found = []
    for module in pkgutil.iter_modules(own.__path__):
        found += list(_of(importlib.import_module(f"{own.__name__}.{module.name}"), module.name))
    return sorted(found, key=lambda fault: fault.name)


def faults_in(folder: Path, *, needed: bool = True) -> list[Fault]:
    """Return the faults of a folder. Raises ValueError naming a file that holds none or one that does not load.

    ``needed``: a folder without any is a mistake too.
    """
    found: list[Fault] = []
    for path in sorted(folder.glob("*.py")):
        if path.name == "__init__.py":
            continue
        spec = importlib.util.spec_from_file_location(f"faults_of_{folder.name}_{path.stem}", path)
        if spec is None or spec.loader is None:
            raise ValueError(f"{path} is no Python file")
        module = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
        except Exception as error:
            raise ValueError(f"{path} does not load: {type(error).__name__}: {error}") from error
        found += list(_of(module, str(path)))
    if not found and needed:
        raise ValueError(
            f"{folder} holds no fault: a Python file with FAULT = Fault(...) is one, or a recorded case (JSON)"
        )
    return sorted(found, key=lambda fault: fault.name)


def known_causes() -> list[str]:
    """Return a line for each name that a truth may have: the name, and what it means."""
    meanings = {name: (sys.modules[rule.__module__].__doc__ or "").strip() for name, rule in RULES.items()}
    meanings[NO_CAUSE_FOUND] = "Nothing that the desk's sources show explains it: a person must look."
    width = max(map(len, meanings))
    return [f"{name:{width}}  {meaning}" for name, meaning in sorted(meanings.items())]


def unknown_causes(faults: Iterable[Fault]) -> list[str]:
    """Return a line for each fault whose truth no verdict can name, because no cause is called so."""
    return [
        f"note: {fault.name}: no cause is called {' or '.join(sorted(truth.names))}; --causes lists the names"
        for fault in faults
        for truth in (fault.truth, *(truth for truth, _ in fault.beside))
        if not truth.names & {*RULES, NO_CAUSE_FOUND}
    ]


def _of(module: object, where: str) -> Iterator[Fault]:
    one = getattr(module, "FAULT", None)
    if not isinstance(one, Fault):
        raise ValueError(f"{where} has no FAULT = Fault(...)")  # noqa: TRY004 - a file's fault, not a caller's
    yield one
