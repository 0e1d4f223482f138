"""Each kind of secret is hidden in every shape of the corpus, and ordinary lines stay what they are."""

import random
import re
import time
from collections.abc import Iterator
from functools import cache

import pytest

from tests.triage.masking_corpus import NEGATIVE, POSITIVE
from triage.masking import KINDS, MASK, free_of_secrets, masked, masked_and_cut, scan
from triage.masking.model import Text
from triage.masking.prefilter import Prefilter
from triage.untrusted_text import one_line, shown

_MARKED = re.compile("«(.*?)»", re.DOTALL)


def _bare(text: str) -> tuple[str, list[str]]:
    return text.replace("«", "").replace("»", ""), _MARKED.findall(text)


def _pieces(secret: str) -> list[str]:
    """Return the words of a secret: of none may more than three characters be seen."""
    return [word for word in re.split(r"[\s,;'\"\[\]]+", secret) if len(word) > 3]


@pytest.mark.parametrize("name", POSITIVE)
def test_a_secret_is_hidden_and_nothing_of_it_is_left(name: str) -> None:
    """Whatever separators and quotes are in it; every text of the kind that fails is named."""
    assert [text for text in POSITIVE[name] if not _hidden(text)] == []


def _hidden(text: str) -> bool:
    plain, secrets = _bare(text)
    shown = masked(plain)
    left = [piece for secret in secrets for piece in (secret, *_pieces(secret)) if piece in shown]
    return bool(secrets) and MASK in shown and not left and masked(shown) == shown


@pytest.mark.parametrize("name", NEGATIVE)
def test_an_ordinary_line_is_left_alone(name: str) -> None:
    """A masked log line that nobody can read helps nobody."""
    assert [(text, shown) for text in NEGATIVE[name] if (shown := masked(text)) != text] == []


def test_every_kind_has_examples_of_both_sorts() -> None:
    """A kind that is added without them fails here."""
    names = {kind.name for kind in KINDS}
    assert names == set(POSITIVE)
    assert names == set(NEGATIVE)


def test_what_surrounds_a_secret_stays() -> None:
    """Only the value goes: its name, the words beside it and the other settings help to see what it was."""
    assert masked("password=orchid77, user=ana") == "password=***, user=ana"
    assert masked('{"api_key":"Kx81","symbol":"BTC"}') == '{"api_key":"***","symbol":"BTC"}'
    assert masked("?token=abc123def&side=buy") == "?token=***&side=buy"
    assert masked("redis://ana:or@ch/id@redis:6379/0 refused") == "redis://ana:***@redis:6379/0 refused"
    assert masked("Authorization: Bearer abc") == "Authorization: Bearer ***"


@pytest.mark.parametrize("name", POSITIVE)
def test_no_cut_leaves_a_piece_of_a_secret(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The text is masked before it is cut, wherever the cut falls; once, since the whole of it is masked each time."""
    monkeypatch.setattr(scan, "masked", cache(scan.masked))
    assert [(text, cut) for text in POSITIVE[name] for cut in _bad_cuts(text)] == []


def _bad_cuts(text: str) -> Iterator[str]:
    """Yield the cuts of a text that are too long or show a piece of its secret."""
    plain, secrets = _bare(text)
    pieces = [piece for secret in secrets for piece in _pieces(secret)]
    for limit in range(len(plain) + 1):
        cut = masked_and_cut(plain, limit)
        if len(cut) > limit or any(piece in cut for piece in pieces):
            yield cut


def test_a_text_that_is_too_long_to_be_read_loses_its_last_word() -> None:
    """That word may be the half of a secret."""
    text = "word " * 20 + "ghp_AbCdEfGh1234567890AbCdEfGh"
    assert "ghp_" not in masked_and_cut(text, 1000, read_at_most=110)


@pytest.mark.parametrize(
    "piece",
    [
        "key=",
        "password=",
        "token ",
        "://",
        "a://b:",
        "'",
        '"password":"',
        "secret: [",
        "-----BEGIN PRIVATE KEY-----",
        "A1b2C3d4",
        "abandon ",
        "-p ",
        "a:b@",
        "eyJ",
        "authorization: ",
        "AQ==\n",
        "key",
        "x" * 63 + "\n",
        "password: |\n ",
        "auth\\",
        "my a",
        "security question ",
        "backup code: ab12cd ",
        "login: a",
        "auth=a:",
        "htpasswd -b ",
        "contraseña a ",
        "redis://a:b ",
        "password = a or ",
        "PAT=",
        "ENV TOKEN ",
        "\u200bpassword",
        "&quot;",
        "\\u0022",
        "%25",
        "\x1b[0m",
        "password:\n",
        "tokens:\n - a",
        "| password ",
        "net user a ",
        "rabbitmqctl ",
        "--token\n - ",
        "curl -su ",
        "zoo, ",
        "a:5432:b:c:",
        "chave=",
        "cl\u00e9='",
        "\u5bc6\u7801\u662f",
        "htpasswd - ",
        "private key ",
        "a\n-----END PRIVATE KEY-----",
        "auth='",
        "--user='",
        "private-lines: 2\nabc\n",
        "'AUTH' ",
        "set_secret('a',",
    ],
)
def test_the_time_grows_with_the_length_and_not_faster(piece: str) -> None:
    """Four times the text takes about four times as long: no text from outside can hold up the loop."""
    _grows_with_the_length("", piece)


@pytest.mark.parametrize(
    ("begin", "piece"),
    [
        ("password: ", " "),
        ("password: ", "\t"),
        ('password="', "\\"),
        ("password: 'a", "' "),
        ("x://", " a"),
        ("secret\ndata:\n", "    a: b\n"),
        ("secret\n", "  data:\n"),
        ("secret\n", "  data:\n    a: b\n"),
    ],
)
def test_what_follows_one_name_takes_no_longer_either(begin: str, piece: str) -> None:
    """Blanks, backslashes, quotes without an end."""
    _grows_with_the_length(begin, piece)


def _grows_with_the_length(begin: str, piece: str) -> None:
    def seconds(length: int) -> float:
        text = begin + piece * (length // len(piece))
        began = time.process_time()
        masked(text)
        return time.process_time() - began

    most = max(0.04, seconds(5_000)) * 9
    # Once more where it took too long: a collection of this process's garbage costs more than the text.
    assert seconds(20_000) < most or seconds(20_000) < most


def test_random_text_is_masked_to_a_fixed_point() -> None:
    """What is masked once is not changed by masking it again."""
    dice = random.Random(7)  # noqa: S311 - nothing here is secret
    pieces = [
        *"=:'\"`,;&{}[]()<>\\/@-| \n",
        "password",
        "token",
        "key",
        "abc",
        "x9",
        "http://",
        "Bearer ",
        "***",
        "-p ",
        "\u200b",
        "&quot;",
        "\\u0022",
        "\uff1d",
        "\u201d",
        " | ",
        "**",
        "--token",
        "\n- ",
    ]
    for _ in range(4000):
        text = "".join(dice.choice(pieces) for _ in range(dice.randrange(1, 14)))
        once = masked(text)
        assert masked(once) == once, text


_ORDINARY = [
    "hbot-bot1",
    "hummingbot/hummingbot:2.3.0",
    "CPU of the container is above 85 % for 10 minutes; see the runbook.",
    "2026-02-21 10:34:01,123 - hummingbot.connector.exchange.bitget - WARNING - Order book message queue is slow",
    "set_target_base_pct 123\naction: set_target_base_pct\ntarget: 0.5",
    "hbot-bot2 läuft nicht mehr",
]


@pytest.mark.parametrize("name", POSITIVE)
def test_a_secret_among_ordinary_texts_is_not_overlooked(name: str) -> None:
    """Looked at together, texts are free of secrets only where each is: no kind needs to begin or end the whole."""
    for text in POSITIVE[name]:
        plain, _ = _bare(text)
        assert not free_of_secrets([plain])
        assert not free_of_secrets([*_ORDINARY, plain, *_ORDINARY])


def test_a_hundred_ordinary_texts_are_looked_at_once() -> None:
    """The end of one and the beginning of the next are no phrase of words, though each alone is a part of one."""
    assert free_of_secrets(_ORDINARY * 20)
    assert free_of_secrets([])


@pytest.mark.parametrize("text", _ORDINARY)
def test_an_ordinary_text_is_searched_for_no_kind(text: str) -> None:
    """Most of what a desk says costs one look for words and prefixes; a kind without them would be asked each time."""
    assert not any(Prefilter([kind]).passes(Text(text, text.lower())) for kind in KINDS)


def test_a_text_with_half_a_surrogate_pair_is_masked_too() -> None:
    """It cannot be encoded; the search for words must not fail on it and find nothing."""
    assert masked("\ud83d password=hunter22x") == "\ud83d password=***"
    assert masked("\ud83d ghp_AbCdEfGh1234567890AbCdEfGh") == "\ud83d ghp_***"


@pytest.mark.parametrize(
    "text",
    [
        "password for {} is hunter22x",
        "net user {} Orchid77 /add",
        "AUTH {} orchid77",
        "login: {}/hunter2xy",
        "rabbitmqctl -n {} add_user ana orchid77",
    ],
)
def test_a_secret_between_a_name_and_its_value_is_hidden_too(text: str) -> None:
    """What stands in the way to a value is looked at as everything else is."""
    shown = masked(text.format("ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a"))
    assert "16C7e42F" not in shown
    assert masked(shown) == shown


@pytest.mark.parametrize("control", ["\x1b", "\x1b[", "\x9b", "\x1b(", "\x00"])
@pytest.mark.parametrize("name", ["api_key", "password", "MNEMONIC"])
def test_a_control_that_begins_nothing_takes_no_letter_of_a_name(control: str, name: str) -> None:
    """A blank stands between them."""
    assert "hunter22x" not in masked(f"{control} {name}=hunter22x")


@pytest.mark.parametrize(
    "text",
    [
        "pass\x1b[1mword\x1b[0m: hunter2x",
        "password=\x1b[31mhunter2x\x1b[0m",
        "\x1b[?25lapi_secret\x1b(B=\x1b[38;5;1mhunter2x",
        "redis://:hunt\x1b[0mer2x@bus:6379/0",
        "api_secret\x1b]8;;https://x.test\x07=hunter2x\x1b]8;;\x1b\\",
        "api_secret\x9b31m=hunter2x",
        "PASSX\x08WORD=hunter2x",
        "api_se\x00cret=hunter2x",
        "secret=hunt\x00er2x",
        "secret\x85=\u2028hunter2x",
    ],
)
def test_what_a_terminal_acts_on_hides_no_name_and_parts_no_secret(text: str) -> None:
    """As people see it: where a control were read as a space, half of the secret would be another word."""
    for seen in (one_line(text, 100), shown(text, 100)):
        assert MASK in seen
        assert "er2x" not in seen
        assert seen.isprintable()
    assert masked(masked(text)) == masked(text)
