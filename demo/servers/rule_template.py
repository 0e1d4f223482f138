"""The part of Prometheus' annotation templates that alert rules use.

`{{ $labels.bot }}`, `{{ $value | humanize }}`, `{{ printf "%.2f" $value }}` and the other `humanize…` functions.
What it does not know is written into the text as Prometheus writes a template error, so that it is seen.
"""

import math
import re
from collections.abc import Callable, Mapping

from demo.servers.go_text import format_float, unquote

_ACTION = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}", re.DOTALL)
_WORD = re.compile(r'"(?:[^"\\]|\\.)*"|`[^`]*`|\||\$?[\w.$]+|-?[\d.]+|\S')
_VERB = re.compile(r"%[-+ #0]*\d*(?:\.\d+)?[vdsfgeq%]")
Argument = str | float


class TemplateError(Exception):
    """A template that cannot be expanded."""


def expand(template: str, labels: Mapping[str, str], value: float) -> str:
    """Expand a template; an error becomes the text, in Prometheus' form."""
    try:
        return _ACTION.sub(lambda m: _text(_pipeline(m.group(1), labels, value)), template)
    except TemplateError as error:
        return f"<error expanding template: error executing template __alert: {error}>"


def _text(argument: Argument) -> str:
    return argument if isinstance(argument, str) else go_float(argument)


def go_float(value: float) -> str:
    """Write a number as Go's `%v`: shortest form, with an exponent below 1e-4 and from 1e6 on."""
    if math.isnan(value) or math.isinf(value):
        return format_float(value)
    digits = repr(abs(value)).split("e")[0].replace(".", "").strip("0")
    text = f"{value:.{max(1, len(digits))}g}"
    mantissa, _, exponent = f"{value:.{max(0, len(digits) - 1)}e}".partition("e")
    if value and not -4 <= int(exponent) < 6:  # noqa: PLR2004 (Go's limits for the plain form)
        return f"{mantissa}e{exponent}"
    return text if "e" not in text else f"{value:.0f}"


def _pipeline(source: str, labels: Mapping[str, str], value: float) -> Argument:
    """Run the commands between the bars; each gets the answer of the one before as its last argument."""
    words = _WORD.findall(source)
    commands: list[list[str]] = [[]]
    for word in words:
        if word == "|":
            commands.append([])
        else:
            commands[-1].append(word)
    carried: list[Argument] = []
    for command in commands:
        if not command:
            raise TemplateError(f"missing value for command in {source!r}")
        carried = [_command(command, carried, labels, value)]
    return carried[0]


def _command(
    command: list[str], carried: list[Argument], labels: Mapping[str, str], value: float
) -> Argument:
    head, *rest = command
    arguments = [_argument(word, labels, value) for word in rest] + carried
    if head == "printf":
        return _printf(arguments)
    if head in _FUNCTIONS:
        if len(arguments) != 1:
            raise TemplateError(f"wrong number of args for {head}: want 1 got {len(arguments)}")
        return _FUNCTIONS[head](_number(arguments[0]))
    if arguments:
        raise TemplateError(f'function "{head}" not defined')
    return _argument(head, labels, value)


def _argument(word: str, labels: Mapping[str, str], value: float) -> Argument:
    if word[0] in '"`':
        return unquote(word)
    if word in ("$value", ".Value"):
        return value
    for prefix in ("$labels.", ".Labels."):
        if word.startswith(prefix):
            return labels.get(word.removeprefix(prefix), "")
    if word.startswith("$externalLabels."):
        return ""
    try:
        return float(word)
    except ValueError:
        raise TemplateError(f'function "{word}" not defined') from None


def _number(argument: Argument) -> float:
    try:
        return float(argument)
    except ValueError:
        raise TemplateError(f'strconv.ParseFloat: parsing "{argument}": invalid syntax') from None


def _printf(arguments: list[Argument]) -> str:
    """Format as Go's Sprintf does, for the verbs that rules use."""
    if not arguments or not isinstance(arguments[0], str):
        raise TemplateError("printf needs a format")
    values = iter(arguments[1:])

    def verb(found: re.Match[str]) -> str:
        spec = found.group()
        if spec == "%%":
            return "%"
        argument = next(values, None)
        if argument is None:
            return f"%!{spec[-1]}(MISSING)"
        if spec[-1] in "vsq":
            text = _text(argument)
            return f'"{text}"' if spec[-1] == "q" else f"{spec[:-1]}s" % text
        if isinstance(argument, str):
            return f"%!{spec[-1]}(string={argument})"
        if spec == "%g":
            return go_float(argument)
        return f"%!d(float64={go_float(argument)})" if spec[-1] == "d" else spec % argument

    return _VERB.sub(verb, arguments[0])


def _odd(value: float) -> bool:
    return value == 0 or math.isnan(value) or math.isinf(value)


def _general(value: float) -> str:
    """Write four significant digits as Go's `%.4g`."""
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return "NaN" if math.isnan(value) else f"{value:.4g}"


def humanize(value: float, base: float = 1000.0) -> str:
    """Write a number with a metric prefix (`1.5k`), or with a binary one when `base` is 1024."""
    if _odd(value):
        return _general(value)
    big = ("k", "M", "G", "T", "P", "E", "Z", "Y") if base == 1000 else _BINARY  # noqa: PLR2004 (kilo)
    prefix = ""
    if abs(value) >= 1 or base != 1000:  # noqa: PLR2004 (binary prefixes only enlarge)
        for prefix_ in big:
            if abs(value) < base:
                break
            value, prefix = value / base, prefix_
    else:
        for prefix_ in ("m", "u", "n", "p", "f", "a", "z", "y"):
            if abs(value) >= 1:
                break
            value, prefix = value * 1000, prefix_
    return f"{_general(value)}{prefix}"


_BINARY = ("ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi")


def humanize_percentage(value: float) -> str:
    """Write a ratio as a percentage."""
    return f"{_general(value * 100)}%"


def humanize_duration(value: float) -> str:
    """Write seconds as `1d 2h 3m 4s`; below a minute with four digits, below a second with a prefix."""
    if _odd(value):
        return _general(value) + ("s" if value == 0 else "")
    if abs(value) < 1:
        return humanize(value) + "s"
    whole = int(abs(value))
    days, hours, minutes, seconds = whole // 86_400, whole // 3_600 % 24, whole // 60 % 60, whole % 60
    sign = "-" if value < 0 else ""
    if days:
        return f"{sign}{days}d {hours}h {minutes}m {seconds}s"
    if hours:
        return f"{sign}{hours}h {minutes}m {seconds}s"
    if minutes:
        return f"{sign}{minutes}m {seconds}s"
    return f"{_general(value)}s"


_FUNCTIONS: dict[str, Callable[[float], str]] = {
    "humanize": humanize,
    "humanize1024": lambda value: humanize(value, 1024.0),
    "humanizePercentage": humanize_percentage,
    "humanizeDuration": humanize_duration,
}
