"""Prometheus' text format, as an exporter writes it."""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache

Scrape = Callable[[], str]
"""Returns a page of exposition text, or raises ScrapeFailedError."""


class ScrapeFailedError(OSError):
    """A target does not answer; the text is what the scraper would note."""


class Exposition:
    """Collects samples and writes them family by family."""

    def __init__(self) -> None:
        self._families: dict[str, tuple[str, list[str]]] = {}

    def gauge(self, name: str, value: float, labels: Mapping[str, str]) -> None:
        """Add a sample that can go up and down."""
        self._add("gauge", name, value, labels)

    def counter(self, name: str, value: float, labels: Mapping[str, str]) -> None:
        """Add a sample that only grows, or starts anew."""
        self._add("counter", name, value, labels)

    def text(self) -> str:
        """Return the page."""
        lines: list[str] = []
        for name, (kind, samples) in self._families.items():
            lines += [f"# HELP {name} Of the desk.", f"# TYPE {name} {kind}", *samples]
        return "\n".join(lines) + "\n" if lines else ""

    def gauges(self, values: Iterable[tuple[str, float]], labels: Mapping[str, str]) -> None:
        """Add a sample of each name, all with the same labels."""
        braces = _braces(tuple(labels.items()))
        for name, value in values:
            self._family("gauge", name).append(f"{name}{braces} {value!r}")

    def _add(self, kind: str, name: str, value: float, labels: Mapping[str, str]) -> None:
        self._family(kind, name).append(f"{name}{_braces(tuple(labels.items()))} {value!r}")

    def _family(self, kind: str, name: str) -> list[str]:
        found = self._families.get(name)
        if found is None:
            found = self._families[name] = (kind, [])
        return found[1]


@lru_cache(maxsize=8192)
def _braces(labels: tuple[tuple[str, str], ...]) -> str:
    inner = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels)
    return f"{{{inner}}}" if inner else ""


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
