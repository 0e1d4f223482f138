"""The parameters of Prometheus' API, read and refused as Prometheus 2.42 does."""

from collections.abc import Mapping
from typing import cast

import promql_parser
from aiohttp import web
from multidict import MultiMapping

from demo.servers.go_text import parse_duration, parse_rfc3339
from demo.servers.promql_compile import matchers_of, parse
from demo.servers.promql_values import PromqlSyntaxError
from demo.servers.tsdb import LabelMatcher


class BadDataError(Exception):
    """A request Prometheus answers 400 `bad_data`."""


def read_selector(text: str) -> list[LabelMatcher]:
    """Read a `match[]` selector."""
    try:
        expr = parse(text)
    except PromqlSyntaxError as error:
        raise BadDataError(f'invalid parameter "match[]": {error}') from error
    if not isinstance(expr, promql_parser.VectorSelector):
        raise BadDataError(f'invalid parameter "match[]": not a selector: {text}')
    return matchers_of(expr)


async def read_multi(request: web.Request) -> MultiMapping[str]:
    """Return the parameters with those that can be given several times."""
    return cast("MultiMapping[str]", await request.post() if request.method == "POST" else request.query)


def read_time(form: Mapping[str, str], name: str, default: float | None = None) -> int:
    """Read a time parameter (Unix seconds or RFC 3339) as milliseconds."""
    text = form.get(name, "")
    if not text and default is not None:
        return round(default * 1000)
    try:
        return round(float(text) * 1000)
    except ValueError:
        pass
    try:
        return round(parse_rfc3339(text) * 1000)
    except ValueError:
        what = f'cannot parse "{text}" to a valid timestamp'
        if default is not None:
            what = f"Invalid time value for '{name}': {what}"
        raise BadDataError(f'invalid parameter "{name}": {what}') from None


def read_step(form: Mapping[str, str]) -> int:
    """Read the step of a range query as milliseconds. Raises BadDataError."""
    text = form.get("step", "")
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = parse_duration(text)
        except ValueError:
            raise BadDataError(
                f'invalid parameter "step": cannot parse "{text}" to a valid duration'
            ) from None
    if seconds <= 0:
        raise BadDataError(
            'invalid parameter "step": zero or negative query resolution step widths are not accepted. '
            "Try a positive integer"
        )
    return round(seconds * 1000)
