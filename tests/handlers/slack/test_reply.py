"""Who is named in a refusal is shown by name, in a window too; capitals of a log are no people."""

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.blocks.action_modal import ActionModals
from handlers.slack.answer_files import upload
from handlers.slack.click import read_click
from handlers.slack.reply import by_name, named_text, open_view
from triage.model import Json
from triage.ports.chat import AnswerFile

NO = "You may not confirm: it takes the role operator, which desk.yaml gives to S0OPERATORS, U01ANA00001."


def leaves(view: Json) -> list[tuple[str, str]]:
    """Return the kinds and words of the first paragraph's leaves."""
    section = view["blocks"][0]["elements"][0]
    return [
        (one["type"], str(next(v for k, v in one.items() if k not in {"type", "style"})))
        for one in section["elements"]
    ]


def test_a_window_names_people_and_groups() -> None:
    """No raw id is left to read."""
    shown = leaves(by_name(ActionModals().notice("Nothing was done", NO)))
    assert shown[1:] == [("usergroup", "S0OPERATORS"), ("text", ", "), ("user", "U01ANA00001"), ("text", ".")]
    assert shown[0][1].endswith("gives to ")


def test_words_in_capitals_and_code_stay_as_they_are() -> None:
    """A log's words are no ids, and a command is there to be copied."""
    text = "WEBSOCKET UNAVAILABLE, SUBSCRIBED"
    assert leaves(by_name(ActionModals().notice("Not possible", text))) == [("text", text)]
    code = {"type": "text", "text": "grep U01ANA00001", "style": {"code": True}}
    block = {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [code]}]}
    assert by_name([block]) == [block]


class Broken(AsyncWebClient):
    """Every answer is JSON that was cut off: the SDK then raises with aiohttp's answer, which has no data."""

    async def api_call(self, *_: object, **__: object) -> object:  # type: ignore[override]
        """Fail as the SDK does."""
        raise SlackApiError("Unexpectedly failed to read", object())  # type: ignore[no-untyped-call]


async def test_an_answer_of_slack_that_cannot_be_read_is_no_refusal() -> None:
    """No mend is asked of anybody, and no listener ends with a traceback."""
    client = Broken()
    assert await open_view(client, read_click({"user": {"id": "U01ANA00001"}, "trigger_id": "1.2"}), {}) == ""
    told = await upload(client, [AnswerFile("kpi.png", "bot1", b"x")], "C01ROOM0001")
    assert told == "refused"


def test_an_id_that_stands_behind_an_at_is_a_name_with_one() -> None:
    """Who is not known yet is shown as @ and the id."""
    said = "@U0BEN00001 is on call until noon."
    assert named_text(said) == "<@U0BEN00001> is on call until noon."
    block = {"type": "rich_text_section", "elements": [{"type": "text", "text": said}]}
    user, rest = by_name(block)["elements"]
    assert (user["user_id"], rest["text"]) == ("U0BEN00001", " is on call until noon.")
