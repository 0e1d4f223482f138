"""Logs: one stream for ours and the libraries', with incidents named and secrets hidden."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
from loguru import logger

from bot.logs import set_up_logs


def _nothing(_record: object) -> None:
    pass


def refuse(text: str) -> None:
    """Raise what a library would."""
    raise ValueError(text)


@pytest.fixture(autouse=True)
def loggers_as_before() -> Iterator[None]:
    """Leave loguru and logging as other tests expect them."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    logger.remove()
    logger.configure(extra={}, patcher=_nothing)
    root.handlers[:] = handlers
    root.setLevel(level)


def written(**options: object) -> io.StringIO:
    """Set the logs up to write into memory."""
    stream = io.StringIO()
    set_up_logs(stream=stream, **options)  # type: ignore[arg-type] # the keywords of set_up_logs
    return stream


@pytest.mark.parametrize("style", ["text", "json"])
def test_secrets_are_never_written(style: str) -> None:
    """Neither in the message, nor in what is bound, nor in an exception's text."""
    stream = written(style=style, secrets=["hook-s3cr3t", "s3cr3t", ""])
    logger.bind(url="http://:hook-s3cr3t@x").info("sent hook-s3cr3t")
    try:
        refuse("refused hook-s3cr3t")
    except ValueError:
        logger.exception("no luck with {}", "hook-s3cr3t")
    text = stream.getvalue()
    assert "s3cr3t" not in text
    assert "hook-" not in text
    assert "sent •••" in text
    assert "no luck" in text


@pytest.mark.parametrize("style", ["text", "json"])
def test_a_secret_that_json_writes_otherwise_is_hidden_too(style: str) -> None:
    """A quote, a backslash or an umlaut in a password is escaped in JSON."""
    secret = 'pa"ss\\wörd'
    stream = written(style=style, secrets=[secret])
    logger.info("login with {}", secret)
    assert "ss" not in stream.getvalue().partition("login")[2]
    assert "login with •••" in stream.getvalue()


def test_tokens_that_nobody_set_are_hidden_by_their_form() -> None:
    """A untrusted text may hold a token of somebody else's."""
    stream = written()
    logger.info("the bot wrote xoxb-1234567890-abcdefghijkl and more")
    assert "abcdefghijkl" not in stream.getvalue()
    assert "and more" in stream.getvalue()


def test_short_words_are_not_taken_for_secrets() -> None:
    """A password of three letters would blot out half of the log."""
    stream = written(secrets=["the"])
    logger.info("the end")
    assert "the end" in stream.getvalue()


def test_json_is_one_object_a_line() -> None:
    """Time, level, place, message and what is bound; a line end in a message does not end the line."""
    stream = written(style="json")
    logger.bind(source="loki", seconds=0.4).warning("first\nsecond")
    logger.info("next")
    first, second = (json.loads(line) for line in stream.getvalue().splitlines())
    assert (first["level"], first["message"]) == ("WARNING", "first\nsecond")
    assert (first["source"], first["seconds"]) == ("loki", 0.4)
    assert first["at"].startswith("20")
    assert first["where"].startswith(f"{__name__}:")
    assert "incident" not in second


def test_json_holds_the_error() -> None:
    """What was raised is in its own field."""
    stream = written(style="json")
    try:
        refuse("out of range")
    except ValueError:
        logger.exception("measuring failed")
    assert json.loads(stream.getvalue())["error"] == "ValueError('out of range')"


@pytest.mark.parametrize(("style", "mark"), [("text", "[INC-42] "), ("json", '"incident": "INC-42"')])
def test_the_incident_is_named_where_it_is_bound(style: str, mark: str) -> None:
    """All lines about one incident can be found, and no others."""
    stream = written(style=style)
    with logger.contextualize(incident="INC-42"):
        logger.info("triaged")
    logger.info("idle")
    triaged, idle = stream.getvalue().splitlines()
    assert mark in triaged
    assert "INC-42" not in idle


def test_the_records_of_libraries_come_the_same_way() -> None:
    """With their level, their place and our hiding; and a brace in their text is no place of ours."""
    stream = written(style="json", secrets=["hook-s3cr3t"])
    logging.getLogger("some.library").warning("refused %s {here}", "hook-s3cr3t")
    line = json.loads(stream.getvalue())
    assert (line["level"], line["message"]) == ("WARNING", "refused ••• {here}")
    assert line["where"].startswith(f"{__name__}:")


def test_a_level_that_only_a_library_knows_is_kept() -> None:
    """Levels without a name in loguru pass by their number."""
    stream = written()
    logging.getLogger("some.library").log(45, "between error and critical")
    assert "between error and critical" in stream.getvalue()


def test_chatty_libraries_are_logged_from_warnings_on() -> None:
    """A line for each HTTP request would be most of the log."""
    stream = written(level="DEBUG")
    logging.getLogger("httpx").info("HTTP Request: GET")
    logging.getLogger("httpx").warning("slow")
    assert "HTTP Request" not in stream.getvalue()
    assert "slow" in stream.getvalue()


def test_the_level_is_the_one_of_the_settings() -> None:
    """Below it nothing is written."""
    stream = written(level="WARNING")
    logger.info("quiet")
    logger.warning("loud")
    assert "quiet" not in stream.getvalue()
    assert "loud" in stream.getvalue()


def test_a_text_line_says_what_is_bound_behind_the_message() -> None:
    """A reason that is bound is not lost; what the message says already is not said twice, and it stays one line."""
    stream = written()
    logger.bind(incident="INC-7", user="U1", error="no\nmodal", count=3).warning(
        "not opened: {count}", count=3
    )
    line = stream.getvalue()
    assert line.endswith('[INC-7] not opened: 3  user=U1  error="no\\nmodal"\n')


def test_a_secret_that_is_quoted_in_a_text_line_is_hidden() -> None:
    """A bound value in quotes has its own quotes escaped, and its umlauts not."""
    secret = 'pä"ss w\\rt'
    stream = written(secrets=[secret])
    logger.bind(error=f"refused {secret}").warning("not opened")
    assert stream.getvalue().endswith('not opened  error="refused •••"\n')
