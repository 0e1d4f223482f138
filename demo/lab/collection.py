"""The faults: the lab's own, or anybody's from a folder of Python files that hold ``FAULT`` or ``FAULTS``."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from demo.desk.world_state import PLANS
from demo.lab import faults as own
from demo.lab.fault import NO_CAUSE_FOUND, Fault, named
from triage.actions.catalogue import CATALOGUE
from triage.diagnosis.causes import RULES


def own_faults() -> list[Fault]:
    """Return the lab's own faults, by name."""
    found = []
    for module in pkgutil.iter_modules(own.__path__):
        if module.name.startswith("_"):
            continue
        found += _of(importlib.import_module(f"{own.__name__}.{module.name}"), module.name)
    return sorted(found, key=lambda fault: fault.name)


def faults_in(folder: Path, *, needed: bool = True) -> list[Fault]:
    """Return the faults of a folder. Raises ValueError naming a file that holds none, one that does not load, a name twice.

    A file whose name begins with ``_`` holds no fault: the others may import it. ``needed``: a folder without any
    fault is a mistake too.
    """
    found: list[Fault] = []
    with _importable(folder):
        for path in sorted(folder.glob("*.py")):
            if not path.name.startswith("_"):
                found += _of(_loaded(path), str(path))
    if not found and needed:
        raise ValueError(
            f"{folder} holds no fault: a Python file with FAULT = Fault(...) is one, or a recorded case (JSON)"
        )
    twice = [name for name, times in Counter(fault.name for fault in found).items() if times > 1]
    if twice:
        raise ValueError(f"{folder} holds more than one fault called {', '.join(sorted(twice))}")
    return sorted(found, key=lambda fault: fault.name)


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Let the files of a folder import each other while they are loaded."""
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))


def _loaded(path: Path) -> object:
    spec = importlib.util.spec_from_file_location(f"faults_of_{path.parent.name}_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ValueError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ValueError(f"{path} does not load: {type(error).__name__}: {error}") from error
    return module


def known_causes() -> list[str]:
    """Return a line for each name that a truth may have: the name, and what it means."""
    meanings = {name: (sys.modules[rule.__module__].__doc__ or "").strip() for name, rule in RULES.items()}
    meanings[NO_CAUSE_FOUND] = "Nothing that the desk's sources show explains it: a person must look."
    width = max(map(len, meanings))
    return [f"{name:{width}}  {meaning}" for name, meaning in sorted(meanings.items())]


def mistakes(faults: Iterable[Fault]) -> list[str]:
    """Return a line for each thing in a fault that can never be met: a cause, an action or a bot that is not there."""
    return [f"note: {fault.name}: {line}" for fault in faults for line in _mistakes_of(fault)]


def _mistakes_of(fault: Fault) -> Iterator[str]:
    bots = {plan.name for plan in PLANS}
    for truth in (fault.truth, *(truth for truth, _ in fault.beside)):
        if not truth.names & {*RULES, NO_CAUSE_FOUND}:
            yield f"no cause is called {' or '.join(sorted(truth.names))}; --causes lists the names"
        for pattern in (*truth.right, *truth.tolerated, *truth.forbidden):
            kind, _ = named(pattern, "")
            if kind not in CATALOGUE:
                yield f"no action is called {kind!r}: {', '.join(sorted(CATALOGUE))}"
    for bot in {*fault.bots, *(bot for _, bot in fault.beside if bot)} - bots:
        yield f"no bot is called {bot!r}: {', '.join(sorted(bots))}"


def _of(module: object, where: str) -> list[Fault]:
    """Return the faults that a module states, as ``FAULT`` or several as ``FAULTS``."""
    given = [*([module.FAULT] if hasattr(module, "FAULT") else []), *getattr(module, "FAULTS", ())]
    found = [each for each in given if isinstance(each, Fault)]
    if not found or len(found) < len(given):
        raise ValueError(f"{where} has no FAULT = Fault(...) and no FAULTS = [Fault(...), ...]")
    return found
