"""What an Alertmanager knows: alerts, silences and the matchers that choose among them. Times in Unix nanoseconds."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from demo.servers.go_text import compile_regexp

NANOS = 1_000_000_000
LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_FNV_OFFSET, _FNV_PRIME, _FNV_MASK = 14_695_981_039_346_656_037, 1_099_511_628_211, (1 << 64) - 1
_FILTER = re.compile(r"\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(=~|=|!=|!~)\s*((?s:.*?))\s*")


def fingerprint(labels: Mapping[str, str]) -> str:
    """Return the identity of a label set, as Alertmanager computes it: FNV-1a over names and values, 16 hex digits."""
    value = _FNV_OFFSET
    for name in sorted(labels):
        for byte in (*name.encode(), 255, *labels[name].encode(), 255):
            value = ((value ^ byte) * _FNV_PRIME) & _FNV_MASK
    return f"{value:016x}"


@dataclass(frozen=True, slots=True)
class AmMatcher:
    """One `name op value` of a route, a silence, an inhibition or a filter."""

    name: str
    value: str
    is_regex: bool = False
    is_equal: bool = True

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether a label set has what is asked for; an absent label counts as empty."""
        value = labels.get(self.name, "")
        hit = (
            compile_regexp(f"^(?:{self.value})$").fullmatch(value) is not None
            if self.is_regex
            else value == self.value
        )
        return hit == self.is_equal

    def __str__(self) -> str:
        op = ("=" if self.is_equal else "!") + ("~" if self.is_regex else "" if self.is_equal else "=")
        escaped = self.value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
        return f'{self.name}{op}"{escaped}"'


def parse_matcher(text: str) -> AmMatcher:
    """Read `bot="bot1"`, `bot=~bot.*` and so on. Raises ValueError with Alertmanager's words."""
    found = _FILTER.fullmatch(text)
    if found is None:
        raise ValueError(f"bad matcher format: {text}")
    name, op, value = found.groups()
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = value[1:-1].replace('\\"', '"').replace("\\n", "\n").replace("\\\\", "\\")
    matcher = AmMatcher(name, value, op.endswith("~"), op in ("=", "=~"))
    if matcher.is_regex:
        compile_regexp(f"^(?:{value})$")
    return matcher


def all_match(matchers: Iterable[AmMatcher], labels: Mapping[str, str]) -> bool:
    """Whether every matcher accepts the labels."""
    return all(m.matches(labels) for m in matchers)


@dataclass(frozen=True, slots=True)
class AmAlert:
    """One alert as it was last posted; `timeout` means its end was not given but reckoned."""

    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: int
    ends_at: int
    updated_at: int
    generator_url: str = ""
    timeout: bool = False

    @property
    def fingerprint(self) -> str:
        """The alert's identity."""
        return fingerprint(self.labels)

    def resolved(self, now: int) -> bool:
        """Whether its end has come."""
        return self.ends_at <= now

    def merged_into(self, old: "AmAlert", now: int) -> "AmAlert":
        """Return this newer post with what still holds of an older one that it overlaps."""
        overlaps = old.starts_at < self.ends_at < old.ends_at or old.starts_at < self.starts_at < old.ends_at
        if not overlaps:
            return self
        starts = min(self.starts_at, old.starts_at)
        if self.resolved(now):
            later = old.resolved(now) and old.ends_at > self.ends_at
        else:
            later = old.ends_at > self.ends_at and not old.timeout
        return replace(self, starts_at=starts, ends_at=old.ends_at if later else self.ends_at)


@dataclass(slots=True)
class Silence:
    """A silence; it is pending before its start and expired from its end on."""

    id: str
    matchers: tuple[AmMatcher, ...]
    starts_at: int
    ends_at: int
    updated_at: int
    created_by: str
    comment: str

    def state(self, now: int) -> str:
        """Return `pending`, `active` or `expired`."""
        if now < self.starts_at:
            return "pending"
        return "active" if now < self.ends_at else "expired"


@dataclass(frozen=True, slots=True)
class AlertStatus:
    """Why an alert is or is not told."""

    silenced_by: tuple[str, ...] = field(default=())
    inhibited_by: tuple[str, ...] = field(default=())

    @property
    def state(self) -> str:
        """Return `active` or `suppressed`."""
        return "suppressed" if self.silenced_by or self.inhibited_by else "active"


def label_order(labels: Mapping[str, str]) -> tuple[object, ...]:
    """Sort key of alerts within a notification: by job, by instance (without one: last), then all labels."""
    first = tuple((name not in labels, labels.get(name, "")) for name in ("job", "instance"))
    return (*first, len(labels), tuple(sorted(labels.items())))
