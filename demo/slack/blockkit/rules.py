"""The words the tables of elements and blocks are written in.

A rule is called with a value, its JSON pointer, and the list that collects what is wrong, in Slack's own phrases.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

Rule = Callable[[object, str, list[str]], None]


def say(problems: list[str], pointer: str, what: str) -> None:
    """Note one problem at one place."""
    problems.append(f"{what} [json-pointer:{pointer}]")


def string(most: int, *, least: int = 1, like: str | None = None) -> Rule:
    """Accept a string of `least` to `most` characters that matches the pattern `like` in full."""

    def rule(value: object, pointer: str, problems: list[str]) -> None:
        if not isinstance(value, str):
            say(problems, pointer, "must provide a string")
        elif len(value) > most:
            say(problems, pointer, f"must be less than {most + 1} characters")
        elif len(value) < least:
            say(problems, pointer, f"must be more than {least - 1} characters")
        elif like is not None and re.fullmatch(like, value) is None:
            say(problems, pointer, f"must match the pattern {like}")

    return rule


def flag(value: object, pointer: str, problems: list[str]) -> None:
    """Accept true or false."""
    if not isinstance(value, bool):
        say(problems, pointer, "must provide a boolean")


def integer(least: int, most: int) -> Rule:
    """Accept a whole number within bounds."""

    def rule(value: object, pointer: str, problems: list[str]) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            say(problems, pointer, "must provide an integer")
        elif not least <= value <= most:
            say(problems, pointer, f"must be between {least} and {most}")

    return rule


def one_of(*choices: str) -> Rule:
    """Accept one of a few words."""

    def rule(value: object, pointer: str, problems: list[str]) -> None:
        if value not in choices:
            say(problems, pointer, f"must be one of {', '.join(choices)}")

    return rule


def items(rule_of_one: Rule, most: int, *, least: int = 1) -> Rule:
    """Accept a list of `least` to `most` values that each keep a rule."""

    def rule(value: object, pointer: str, problems: list[str]) -> None:
        if not isinstance(value, list):
            say(problems, pointer, "must be an array")
            return
        if len(value) > most:
            say(problems, pointer, f"no more than {most} items allowed")
        if len(value) < least:
            say(problems, pointer, f"no fewer than {least} items allowed")
        for index, item in enumerate(value):
            rule_of_one(item, f"{pointer}/{index}", problems)

    return rule


def shape(fields: Mapping[str, Rule], *, required: tuple[str, ...] = ()) -> Rule:
    """Accept an object with these fields and no other; `required` ones must be there."""

    def rule(value: object, pointer: str, problems: list[str]) -> None:
        if not isinstance(value, dict):
            say(problems, pointer, "must be an object")
            return
        for name in required:
            if value.get(name) is None:
                say(problems, pointer, f"missing required field: {name}")
        for name, item in value.items():
            if name not in fields:
                say(problems, pointer, f"invalid additional property: {name}")
            elif item is not None:
                fields[name](item, f"{pointer}/{name}", problems)

    return rule


def by_type(kinds: Mapping[str, Rule]) -> Rule:
    """Accept an object whose `type` names one of several rules."""

    def rule(value: object, pointer: str, problems: list[str]) -> None:
        if not isinstance(value, dict):
            say(problems, pointer, "must be an object")
            return
        kind = value.get("type")
        if not isinstance(kind, str) or kind not in kinds:
            say(problems, f"{pointer}/type", f"unsupported type: {kind}")
        else:
            kinds[kind](value, pointer, problems)

    return rule


def both(*rules: Rule) -> Rule:
    """Accept what keeps all of several rules; a later one may rely on what an earlier one found right."""

    def rule(value: object, pointer: str, problems: list[str]) -> None:
        before = len(problems)
        for each in rules:
            if len(problems) == before:
                each(value, pointer, problems)

    return rule


def exactly_one(*names: str) -> Rule:
    """Accept an object that has one of several fields, not none and not two."""

    def rule(value: object, pointer: str, problems: list[str]) -> None:
        if isinstance(value, dict) and sum(value.get(name) is not None for name in names) != 1:
            say(problems, pointer, f"must have exactly one of {', '.join(names)}")

    return rule


def at_least_one(*names: str) -> Rule:
    """Accept an object that has one or more of several fields."""

    def rule(value: object, pointer: str, problems: list[str]) -> None:
        if isinstance(value, dict) and all(value.get(name) is None for name in names):
            say(problems, pointer, f"must have at least one of {', '.join(names)}")

    return rule


def anything(_value: object, _pointer: str, _problems: list[str]) -> None:
    """Accept whatever it is: the word `type`, or a part this server does not look into."""
