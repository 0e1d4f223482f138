"""Scraping: exposition text from a URL or a function in this process into the database, as Prometheus does it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from demo.clock import Clock
from demo.servers.go_text import format_duration, rfc3339_nano
from demo.servers.tsdb import Labels, Tsdb, labels_of

Source = str | Callable[[], str]
TIMEOUT = 10.0


@dataclass(slots=True)
class Target:
    """One thing to scrape: a URL, or a function that returns exposition text (raise OSError to be down)."""

    job: str
    instance: str
    source: Source
    labels: Mapping[str, str] = field(default_factory=dict)
    last_error: str = ""
    last_scrape: float = 0.0
    last_duration: float = 0.0
    health: str = "unknown"
    known: set[Labels] = field(default_factory=set)
    parsed: dict[str, Labels] = field(default_factory=dict)
    """Series as the page writes them → their labels: reading them again costs a look-up."""
    described: str = ""

    @property
    def own_labels(self) -> dict[str, str]:
        """The labels every series of this target gets."""
        return {**self.labels, "job": self.job, "instance": self.instance}

    @property
    def url(self) -> str:
        """The address scraped, or a made-up one for a function."""
        return self.source if isinstance(self.source, str) else f"http://{self.instance}/metrics"


@dataclass(frozen=True, slots=True)
class Metadata:
    """What the exposition says about a metric."""

    type: str
    help: str


class Scraper:
    """Reads all targets into the database and writes `up` and `scrape_*` beside them."""

    def __init__(self, tsdb: Tsdb, targets: list[Target], clock: Clock, interval: float) -> None:
        self.targets = targets
        self.interval = interval
        self.metadata: dict[str, Metadata] = {}
        self._tsdb = tsdb
        self._clock = clock

    async def scrape_all(self) -> None:
        """Scrape every target once, now."""
        for target in self.targets:
            await self._scrape(target, self._clock.now())

    async def _scrape(self, target: Target, now: float) -> None:
        at_ms = round(now * 1000)
        seen: dict[Labels, float] = {}
        try:
            seen = self._read(target, await _text(target.source))
            target.last_error, target.health = "", "up"
        except (OSError, aiohttp.ClientError, TimeoutError, ValueError) as error:
            target.last_error, target.health = str(error) or type(error).__name__, "down"
        target.last_scrape = now
        target.last_duration = max(0.0, self._clock.now() - now)
        added = self._append(target, seen, at_ms)
        for name, value in (
            ("up", float(target.health == "up")),
            ("scrape_duration_seconds", target.last_duration),
            ("scrape_samples_scraped", float(len(seen))),
            ("scrape_samples_post_metric_relabeling", float(len(seen))),
            ("scrape_series_added", float(added)),
        ):
            self._tsdb.append(labels_of({**target.own_labels, "__name__": name}), at_ms, value)

    def backfill(self, target: Target, text: str, at: float) -> None:
        """Take a page of the past (Unix seconds) in, as if it had been scraped then; pages come in order."""
        self._append(target, self._read(target, text), round(at * 1000))

    def _append(self, target: Target, seen: Mapping[Labels, float], at_ms: int) -> int:
        """Write samples, mark the series that are gone as stale, and return how many are new."""
        for labels, value in seen.items():
            self._tsdb.append(labels, at_ms, value)
        before, target.known = target.known, set(seen)
        for labels in before - target.known:
            self._tsdb.append(labels, at_ms, None)
        return len(target.known - before)

    def _read(self, target: Target, text: str) -> dict[Labels, float]:
        """Parse exposition text; a label of the exposition that the target has too becomes `exported_…`."""
        comments: list[str] = []
        seen: dict[Labels, float] = {}
        known = target.parsed.get
        for line in text.splitlines():
            if line.startswith("#"):
                comments.append(line)
                continue
            if not line:
                continue
            series, _, value = line.rpartition(" ")
            labels = known(series)
            if labels is None:
                seen.update(self._parse(target, line, series))
            else:
                seen[labels] = float(value)
        self._describe(target, "\n".join(comments))
        return seen

    def _describe(self, target: Target, comments: str) -> None:
        if comments == target.described:
            return
        target.described = comments
        for family in text_string_to_metric_families(comments + "\n"):
            self.metadata[family.name] = Metadata(family.type, family.documentation)

    def _parse(self, target: Target, line: str, series: str) -> dict[Labels, float]:
        """Parse a line that is not known yet. Raises ValueError when it is no exposition text."""
        own, found = target.own_labels, dict[Labels, float]()
        for family in text_string_to_metric_families(line + "\n"):
            for sample in family.samples:
                labels = {f"exported_{n}" if n in own else n: v for n, v in sample.labels.items()}
                made = labels_of({**labels, **own, "__name__": sample.name})
                found[made] = float(sample.value)
                if sample.timestamp is None:
                    target.parsed[series] = made
        return found

    def report(self) -> list[dict[str, object]]:
        """Describe the targets as `/api/v1/targets` does."""
        return [
            {
                "discoveredLabels": {
                    "__address__": target.instance,
                    "__metrics_path__": "/metrics",
                    "__scheme__": "http",
                    "__scrape_interval__": format_duration(self.interval),
                    "__scrape_timeout__": format_duration(min(self.interval, TIMEOUT)),
                    "job": target.job,
                },
                "labels": target.own_labels,
                "scrapePool": target.job,
                "scrapeUrl": target.url,
                "globalUrl": target.url,
                "lastError": target.last_error,
                "lastScrape": rfc3339_nano(target.last_scrape)
                if target.last_scrape
                else "0001-01-01T00:00:00Z",
                "lastScrapeDuration": target.last_duration,
                "health": target.health,
                "scrapeInterval": format_duration(self.interval),
                "scrapeTimeout": format_duration(min(self.interval, TIMEOUT)),
            }
            for target in self.targets
        ]


async def _text(source: Source) -> str:
    """Fetch exposition text. Raises OSError, TimeoutError or aiohttp.ClientError when the target is down."""
    if not isinstance(source, str):
        return source()
    timeout = aiohttp.ClientTimeout(total=TIMEOUT)
    async with aiohttp.ClientSession(timeout=timeout) as session, session.get(source) as answer:
        if answer.status != 200:  # noqa: PLR2004 (HTTP's OK)
            raise OSError(f"server returned HTTP status {answer.status} {answer.reason}")
        return await answer.text()
