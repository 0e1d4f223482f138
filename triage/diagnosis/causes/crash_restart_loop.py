"""The process dies by itself, again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.causes._containers import container_case

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = frozenset({"loop", "down", "frozen", "no_fills", "unhealthy", "errors", "behind", "scrape"})


def rule(facts: Facts) -> Iterable[Candidate]:
    """Look for containers that restart again and again and were not killed for memory."""
    for name, now in facts.of_containers():
        if not now.get("looping") or now.get("oom") or name == facts.desk.redis_container:
            continue  # Redis has its own rule
        case = container_case(facts, "crash_restart_loop", name)
        code = now.get("exit_code")
        case.sees(
            "proof", f"{name} restarts again and again" + (f", exit code {code}" if code else ""), "container"
        )
        bot = facts.bot_of(name)
        found = (
            facts.logged(bot, "code_error", "import_error", "invalid_config", "env_key_missing")
            if bot
            else None
        )
        if found is not None and found.fresh:
            case.sees("some", f"{bot} logs: {found.example}", "error_logs")
        if facts.data("streams").get("reachable") is False:
            case.doubts("doubt", "Redis does not answer: what needs it dies with it", "streams")
        case.needs("container")
        logs = f"{facts.desk.paths.data}/{bot}/logs/errors.log" if bot else ""
        yield from case.concludes(
            f"{name} dies and restarts again and again" + (f" (exit code {code})." if code else "."),
            "Read the last error before each exit; another restart repeats it.",
            settle=f"tail -40 {logs}" if logs else f"docker logs --tail 50 {name}",
            by_hand=f"docker logs --tail 50 {name}" + (f"; tail -40 {logs}" if logs else ""),
        )
