"""Names are not resolved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.causes._evidence import bot_case, look_in_log, reads_log
from triage.diagnosis.causes._families import TRADING
from triage.wording import doing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = TRADING | {"frozen", "network", "probe"}


def rule(facts: Facts) -> Iterable[Candidate]:
    """Look in each bot's log for names that did not resolve, and for the same on other bots."""
    for bot in facts.bots:
        case = bot_case(facts, "dns_failure", bot)
        found = reads_log(case, bot, "dns_failure", ends=True)
        same = [other for other in facts.bots if other != bot and facts.logged(other, "dns_failure").fresh]
        if same and not found.over(facts.now):
            case.sees("some", f"the same on {', '.join(same[:3])}", "peers")
        healthy = facts.healthy_peers((bot, *same))
        scope = f"; {doing(healthy, 'runs on', 'run on')}" if healthy else ""
        yield from case.concludes(
            f"{{who}} cannot resolve names{{since}}{scope}.",
            "Look at the DNS of the container, then of the host.",
            settle=look_in_log(facts, bot, "name resolution\\|not known"),
            by_hand=f"docker exec {facts.desk.container_of(bot)} getent hosts api.bitget.com; cat /etc/resolv.conf",
        )
