"""A digest on its way into Slack: its text at the top, its pictures in its thread, each once."""

from datetime import UTC, datetime

from demo.slack.faults import Fault
from schedules.digest import keep_digest
from tests.bot.slack.workbench import Bench
from triage.ports.chat import Answer, Line, section
from triage.ports.digests import DrawnPicture
from triage.ports.store import Tx
from triage.reports.digest.answer import DigestText

DIGESTS = "desk-digest"
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 2000


def text() -> DigestText:
    """Return a digest of two bots with a message each."""
    top = Answer("KPI digest Fri 20 Feb 2026: hold", (section([Line("hold", name="bot1")]),))
    apart = tuple((bot, Answer("", (section([Line(f"figures of {bot}")]),))) for bot in ("bot1", "bot2"))
    return DigestText(top, apart)


async def keep(bench: Bench, *pictures: str) -> None:
    """Owe a digest with pictures of these bots."""

    def work(tx: Tx) -> None:
        drawn = [DrawnPicture(bot, f"{bot}, running all day", PNG) for bot in pictures]
        keep_digest(tx, text(), drawn, name="2026-02-20", now=datetime.now(UTC))

    await bench.store.write(work)
    bench.bell.ring()


async def test_pictures_and_figures_are_in_the_thread_in_the_order_of_the_bots(bench: Bench) -> None:
    """Each bot's figures, and right below them its picture with words for who cannot see it."""
    await keep(bench, "bot1", "bot2")
    await bench.settled()
    [top] = bench.slack.messages(DIGESTS)
    assert top.text == "KPI digest Fri 20 Feb 2026: hold"
    kinds = ["picture" if reply.files else str(reply.blocks) for reply in bench.slack.thread(top)]
    assert ["picture" if kind == "picture" else kind.split("figures of ")[1][:4] for kind in kinds] == [
        "bot1",
        "picture",
        "bot2",
        "picture",
    ]
    [file, _] = [file for reply in bench.slack.thread(top) for file in reply.files]
    assert bench.slack.workspace.files[file["id"]].alt_text == "bot1, running all day"


async def test_answers_lost_on_the_way_double_nothing(bench: Bench) -> None:
    """The post and the upload went through, their answers did not: both are found, neither is repeated."""
    bench.slack.faults.add(
        Fault.lost_answer("chat.postMessage"), Fault.lost_answer("files.completeUploadExternal")
    )
    await keep(bench, "bot1")
    await bench.settled(30)
    [top] = bench.slack.messages(DIGESTS)
    assert len(bench.slack.thread(top)) == 3
    assert bench.slack.faults.pending == 0, "both answers were lost indeed"


async def test_a_digest_tells_where_the_audit_trail_ends(bench: Bench) -> None:
    """What was posted to Slack cannot be rewritten with the database: it proves the trail later."""
    now = datetime.now(UTC)
    await bench.store.write(
        lambda tx: tx.audit.append(at=now, actor="U0ANA00001", event="test", target="desk")
    )
    head = await bench.store.read(lambda tx: tx.audit.head())
    await keep(bench)
    await bench.settled()
    [top] = bench.slack.messages(DIGESTS)
    assert f"audit trail {head}" in str(top.blocks)
    assert head.seq == 1
