"""Text as Go reads and writes it: quoted strings, numbers, durations, timestamps, regular expressions."""

import math
import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

_SIMPLE_ESCAPES = {
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\\": "\\",
    '"': '"',
}
_NUMERIC_ESCAPES = {"x": 2, "u": 4, "U": 8}
_RFC3339 = re.compile(
    r"(?P<whole>\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d)(?:\.(?P<fraction>\d+))?(?P<zone>[Zz]|[+-]\d\d:\d\d)"
)
_UNSUPPORTED = re.compile(r"\(\?(?:<?[=!]|>|\(|#)|\\[1-9ZGKRX]|(?<!\\)[*+?}]\+")
_PROMETHEUS_DURATION = re.compile(
    r"^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?$"
)
_UNIT_SECONDS = (365 * 86_400.0, 7 * 86_400.0, 86_400.0, 3_600.0, 60.0, 1.0, 0.001)


def unquote(literal: str) -> str:
    """Read a Go string literal: double quotes with escapes, or backticks. Raises ValueError."""
    if literal.startswith("`"):
        return literal[1:-1]
    out: list[str] = []
    body = literal[1:-1]
    at = 0
    while at < len(body):
        char = body[at]
        if char == "\n":
            raise ValueError("invalid syntax")
        if char != "\\":
            out.append(char)
            at += 1
            continue
        piece, at = _escape(body, at + 1)
        out.append(piece)
    return "".join(out)


def _escape(body: str, at: int) -> tuple[str, int]:
    """Read the escape whose letter is at `at`; returns the character and where to go on."""
    letter = body[at : at + 1]
    if letter in _SIMPLE_ESCAPES:
        return _SIMPLE_ESCAPES[letter], at + 1
    digits = 3 if letter in set("01234567") else _NUMERIC_ESCAPES.get(letter, 0)
    start = at if digits == 3 else at + 1  # noqa: PLR2004 (an octal escape has three digits and no letter)
    text = body[start : start + digits]
    if not digits or len(text) < digits:
        raise ValueError("invalid syntax")
    return chr(int(text, 8 if start == at else 16)), start + digits


def format_float(value: float) -> str:
    """Write a sample value as Prometheus and Loki do: shortest form, `NaN`, `+Inf`, `-Inf`."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if value == int(value) and abs(value) < 1e21:  # noqa: PLR2004 (from there on Go writes an exponent)
        return "-0" if value == 0 and math.copysign(1, value) < 0 else str(int(value))
    text = repr(value)
    if "e" not in text:
        return text
    mantissa, exponent = text.split("e")
    power = int(exponent)
    if abs(value) < 1e21 and power >= -6:  # noqa: PLR2004 (Go's limits for the plain form)
        return f"{value:.{max(0, len(mantissa.replace('-', '').replace('.', '')) - 1 - power)}f}"
    return f"{mantissa}e{'-' if power < 0 else '+'}{abs(power):02d}"


def parse_duration(text: str) -> float:
    """Seconds of a Prometheus duration such as `1h30m`. Raises ValueError with Prometheus' wording."""
    if text == "0":
        return 0.0
    found = _PROMETHEUS_DURATION.match(text)
    if not text:
        raise ValueError("empty duration string")
    if found is None or not any(found.groups()):
        raise ValueError(f'not a valid duration string: "{text}"')
    return sum(int(n) * unit for n, unit in zip(found.groups(), _UNIT_SECONDS, strict=True) if n)


def format_duration(seconds: float) -> str:
    """Write seconds as Prometheus' model.Duration does: `30d1h`, `4h`, `1m30s`, `0s`."""
    left = round(seconds * 1000)
    if left == 0:
        return "0s"
    out = ""
    for unit, size, exact in (
        ("y", 31_536_000_000, True),
        ("w", 604_800_000, True),
        ("d", 86_400_000, False),
        ("h", 3_600_000, False),
        ("m", 60_000, False),
        ("s", 1_000, False),
        ("ms", 1, False),
    ):
        if exact and left % size:
            continue
        count, left = divmod(left, size)
        if count:
            out += f"{count}{unit}"
    return out


def format_go_duration(seconds: float) -> str:
    """Write seconds as Go's time.Duration does: `721h0m1s`, `1.5s`."""
    if seconds < 1:
        return f"{seconds * 1000:g}ms" if seconds else "0s"
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    text = f"{rest:.9f}".rstrip("0").rstrip(".") + "s"
    if hours:
        return f"{hours}h{minutes}m{text}"
    return f"{minutes}m{text}" if minutes else text


def rfc3339(seconds: float, digits: int = 3) -> str:
    """Write a Unix time as RFC 3339 in UTC with that many fraction digits, ending in `Z`."""
    nanos = round(seconds * 1e6) * 1000
    whole, fraction = divmod(nanos, 1_000_000_000)
    stamp = datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{stamp}.{fraction:09d}"[: len(stamp) + 1 + digits] + "Z" if digits else f"{stamp}Z"


def rfc3339_nano(seconds: float) -> str:
    """Write a Unix time as Go's RFC3339Nano does: no zeros at the fraction's end, none when whole."""
    text = rfc3339(seconds, 9)[:-1].rstrip("0").rstrip(".")
    return f"{text}Z"


def parse_rfc3339(text: str) -> float:
    """Unix time of an RFC 3339 timestamp. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"no time zone in {text!r}")
    return moment.timestamp()


def rfc3339_of_ns(nanos: int, digits: int | None = None) -> str:
    """Write Unix nanoseconds in UTC: that many fraction digits, or as many as are needed (RFC3339Nano)."""
    whole, fraction = divmod(nanos, 1_000_000_000)
    stamp = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=whole)).strftime("%Y-%m-%dT%H:%M:%S")
    text = f"{fraction:09d}"[:digits] if digits is not None else f"{fraction:09d}".rstrip("0")
    return f"{stamp}.{text}Z" if text else f"{stamp}Z"


def ns_of_rfc3339(text: str) -> int:
    """Unix nanoseconds of an RFC 3339 timestamp, every digit kept. Raises ValueError."""
    found = _RFC3339.fullmatch(text)
    if found is None:
        raise ValueError(f'parsing time "{text}" as "2006-01-02 15:04:05": cannot parse "{text}" as "2006"')
    moment = datetime.fromisoformat(found["whole"] + found["zone"].upper())
    return int(moment.timestamp()) * 1_000_000_000 + int((found["fraction"] or "").ljust(9, "0")[:9])


@lru_cache(maxsize=512)
def compile_regexp(pattern: str) -> re.Pattern[str]:
    """Compile an RE2 pattern; what RE2 does not know is refused. Raises ValueError with Go's wording."""
    refused = _UNSUPPORTED.search(pattern)
    if refused is not None:
        text = refused.group()
        reason = (
            "invalid or unsupported Perl syntax"
            if text.startswith("(")
            else "invalid escape sequence"
            if text.startswith("\\")
            else "invalid nested repetition operator"
        )
        raise ValueError(f"error parsing regexp: {reason}: `{text}`")
    try:
        return re.compile(pattern.replace(r"\z", r"\Z"))
    except re.error as error:
        raise ValueError(f"error parsing regexp: {_go_reason(error, pattern)}") from error


def _go_reason(error: re.error, pattern: str) -> str:
    """Say Python's complaint about a pattern in Go's words."""
    message = str(error)
    if "unterminated subpattern" in message or "missing )" in message:
        return f"missing closing ): `{pattern}`"
    if "unbalanced parenthesis" in message:
        return f"unexpected ): `{pattern}`"
    if "unterminated character set" in message:
        return f"missing closing ]: `{pattern[error.pos or 0 :]}`"
    if "nothing to repeat" in message:
        return f"missing argument to repetition operator: `{pattern[error.pos or 0 : (error.pos or 0) + 1]}`"
    if "bad escape" in message:
        return f"invalid escape sequence: `{pattern[error.pos or 0 : (error.pos or 0) + 2]}`"
    return f"{message}: `{pattern}`"
