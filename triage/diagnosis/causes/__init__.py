"""The causes, one small file each: a module with ``EXPLAINS`` and ``rule(facts)``; nothing else names it.

A rule is pure, looks at ``Facts`` alone, and makes its case: evidence for and against in the levels of
``weights``, what is said, and which actions would help. ``EXPLAINS``: the families of alerts (see ``symptoms``)
that the cause can bring about; a cause that explains none of an incident's alerts is no cause of it. A file whose
name begins with ``_`` is a helper; ``no_cause_found`` is what is said where no rule is believed.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from types import MappingProxyType

from triage.diagnosis.case import Candidate
from triage.diagnosis.facts import Facts

Rule = Callable[[Facts], Iterable[Candidate]]

NAMES: tuple[str, ...] = tuple(
    sorted(
        module.name
        for module in pkgutil.iter_modules(__path__)
        if not module.name.startswith("_") and module.name != "no_cause_found"
    )
)
"""Every cause that a rule can find, by its name."""

_MODULES = {name: import_module(f"{__name__}.{name}") for name in NAMES}

RULES: Mapping[str, Rule] = MappingProxyType({name: module.rule for name, module in _MODULES.items()})
EXPLAINS: Mapping[str, frozenset[str]] = MappingProxyType(
    {name: frozenset(module.EXPLAINS) for name, module in _MODULES.items()}
)
"""For each cause the families of alerts that it can explain."""
