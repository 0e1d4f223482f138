"""One question to one source per file; the answer is a Finding.

A new check is a module with NAME, TITLE, SOURCE and ``async def run(ctx)``, named in ``CHECKS`` below
and in the playbooks that shall ask it.
"""

from collections.abc import Mapping
from types import MappingProxyType

from triage.diagnosis.checks import (
    audit_trail,
    bot_state,
    bytecode,
    changes,
    container,
    error_logs,
    fee_source,
    host,
    scope,
    streams,
    watchers,
)
from triage.diagnosis.checks.base import NamedCheck

_ALL: tuple[NamedCheck, ...] = (
    bot_state,
    fee_source,
    error_logs,
    container,
    changes,
    bytecode,
    host,
    scope,
    watchers,
    streams,
    audit_trail,
)

CHECKS: Mapping[str, NamedCheck] = MappingProxyType({check.NAME: check for check in _ALL})
"""Every check by its name, in the order in which findings are shown."""
