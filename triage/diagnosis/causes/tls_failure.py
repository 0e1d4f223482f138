"""The certificate on the way to the exchange is not accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.causes._evidence import bot_case, look_in_log, reads_log
from triage.diagnosis.causes._families import TRADING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = TRADING | {"fees", "probe", "certificate"}


def rule(facts: Facts) -> Iterable[Candidate]:
    """Look in each bot's log for a certificate that could not be verified."""
    for bot in facts.bots:
        case = bot_case(facts, "tls_failure", bot)
        reads_log(case, bot, "tls_failure")
        yield from case.concludes(
            "{who} does not accept the certificate it is shown{since}.",
            "Look for a proxy, an old CA bundle or a wrong clock; never switch verification off.",
            settle=look_in_log(facts, bot, "CERTIFICATE"),
            by_hand="openssl s_client -connect api.bitget.com:443 -brief </dev/null",
        )
