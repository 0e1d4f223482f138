"""What verification says of an action, in words for people."""

from __future__ import annotations

from collections.abc import Mapping

from triage.action_kinds import STOP_TRADING
from triage.plans.record import ActionRecord, ActionStatus
from triage.plans.verification import VerificationOutcome
from triage.wording import clock_time

_OUTCOMES: Mapping[VerificationOutcome, str] = {
    VerificationOutcome.RECOVERED: "recovered",
    VerificationOutcome.PERSISTING: "did not help",
    VerificationOutcome.INCONCLUSIVE: "not known whether it helped",
}

_TRADING: Mapping[bool | None, str] = {
    True: "the bots trade",
    False: "trading is not back",
    None: "whether the bots trade is not known",
}


def verified_words(record: ActionRecord) -> str:
    """Return what verification says, before people; empty before there is one.

    ``did what it should`` is said only of an action that came to its end, and nothing is said for good before
    the last look.
    """
    verification = record.verification
    if verification is None:
        return ""
    if record.looked_at_again:
        until = f" until {clock_time(record.verify_until)} UTC" if record.verify_until is not None else ""
        return f"not well yet, looked at again{until}"
    if verification.outcome is not VerificationOutcome.EFFECTIVE:
        return _OUTCOMES[verification.outcome]
    asked = record.kind in STOP_TRADING and verification.trades is False
    trading = "trading stands as asked" if asked else _TRADING[verification.trades]
    return f"did what it should, {trading}" if record.status is ActionStatus.SUCCEEDED else trading
