"""Things that go wrong on purpose: per method, a number of times, then all is well again."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Literal, Self

from demo.slack.model import Json

if TYPE_CHECKING:
    from collections.abc import Callable

Kind = Literal["rate_limited", "lost_answer", "reset", "delay", "late", "error", "http", "raw"]

TOO_MANY = 429


@dataclass
class Fault:
    """One fault, made with a classmethod, given to `Faults.add`.

    `method` is one of the Web API or `response_url`, and may hold `*`. `skip` calls pass before it acts, then it acts
    `times` times. `where` looks at the arguments of the call. `processed`: the call takes effect before it fails.
    """

    method: str
    kind: Kind
    times: int = 1
    skip: int = 0
    where: Callable[[Json], bool] | None = None
    seconds: float = 0.0
    code: str = ""
    status: int = 200
    processed: bool = False
    body: bytes = b""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    used: int = field(default=0, init=False)

    @classmethod
    def rate_limited(cls, method: str, retry_after: int = 1, times: int = 1) -> Self:
        """Answer 429 with `Retry-After: retry_after` (seconds); nothing is done."""
        return cls(method, "rate_limited", times, seconds=retry_after, status=429)

    @classmethod
    def lost_answer(cls, method: str, times: int = 1) -> Self:
        """Do the call, then drop the connection instead of answering."""
        return cls(method, "lost_answer", times, processed=True)

    @classmethod
    def reset(cls, method: str, times: int = 1) -> Self:
        """Drop the connection before anything is done."""
        return cls(method, "reset", times)

    @classmethod
    def delay(cls, method: str, seconds: float, times: int = 1) -> Self:
        """Do the call at once and answer `seconds` later."""
        return cls(method, "delay", times, seconds=seconds, processed=True)

    @classmethod
    def late(cls, method: str, seconds: float, times: int = 1) -> Self:
        """Do the call `seconds` after it came, whether or not somebody still waits for the answer."""
        return cls(method, "late", times, seconds=seconds)

    @classmethod
    def error(cls, method: str, code: str, times: int = 1, *, processed: bool = False) -> Self:
        """Answer `{"ok": false, "error": code}`; with `processed` (as `fatal_error` may be) the call took effect."""
        return cls(method, "error", times, code=code, processed=processed)

    @classmethod
    def http(cls, method: str, status: int = 500, times: int = 1, *, processed: bool = False) -> Self:
        """Answer with a bare HTTP status and a body that is not JSON."""
        return cls(method, "http", times, status=status, processed=processed)

    @classmethod
    def raw(cls, method: str, body: str, *, status: int = 200, retry_after: str = "") -> Self:
        """Do the call unless it is a 429, and answer it with any text as JSON, which it need not be."""
        headers = {"Retry-After": retry_after} if retry_after else {}
        fault = cls(method, "raw", status=status, processed=status != TOO_MANY)
        fault.body, fault.headers = body.encode(), headers
        return fault

    @property
    def spent(self) -> bool:
        """Whether it has acted as often as it should."""
        return self.used >= self.times

    def meets(self, method: str, args: Json) -> bool:
        """Say whether this fault acts on this call, and count it."""
        if self.spent or not fnmatchcase(method, self.method) or (self.where and not self.where(args)):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.used += 1
        return True


class Faults:
    """The faults still to come. The first that fits a call acts on it, alone."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self.late = 0
        """How many calls were taken and are not done yet."""

    def add(self, *faults: Fault) -> None:
        """Arm faults, in the order in which they shall act."""
        self._faults += faults

    def clear(self) -> None:
        """Disarm all."""
        self._faults.clear()

    @property
    def pending(self) -> int:
        """How many times armed faults will still act."""
        return sum(fault.times - fault.used for fault in self._faults)

    def take(self, method: str, args: Json) -> Fault | None:
        """Return the fault that acts on this call, if one does."""
        return next((fault for fault in self._faults if fault.meets(method, args)), None)
