"""What a person reads whose command meets a store that cannot serve: what came of it, and none of the database's words."""

from types import SimpleNamespace
from typing import cast

import pytest

from handlers.slack import command_listener
from handlers.slack.buttons import NOT_READ, NOT_STORED, OUTCOME_UNKNOWN
from handlers.slack.command import Call, CommandServices
from handlers.slack.command_line import read_line
from triage.errors import CommitUnknown, NotStored, StoreUnavailable


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (NotStored("the store did not commit within 15 s (database is locked)"), NOT_STORED),
        (CommitUnknown("the store did not say whether it committed"), OUTCOME_UNKNOWN),
        (StoreUnavailable("the store cannot be read: disk I/O error"), NOT_READ),
    ],
    ids=["not stored", "unknown", "not read"],
)
async def test_a_command_says_what_came_of_it(
    monkeypatch: pytest.MonkeyPatch, error: StoreUnavailable, says: str
) -> None:
    """Who types ``/triage ack 3`` has to know whether it was done, as who presses the button."""

    async def away(*_: object) -> None:
        raise error

    monkeypatch.setattr(command_listener, "authorise", away)
    services = cast("CommandServices", SimpleNamespace(commands={"ack": SimpleNamespace()}))
    call = Call(user="U0ANA00001", user_name="ana", channel="C0TRIAGE01")
    answer = await command_listener.answer_to(services, call, read_line("ack 3"))
    assert answer is not None
    assert says in str(answer)
    assert str(error) not in str(answer)
    assert answer.private
