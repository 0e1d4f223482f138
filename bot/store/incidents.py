"""Incidents and their episodes."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from bot.store import tables
from bot.store.health import Unreadable
from bot.store.incident_cache import IncidentCache, as_stored
from bot.store.incident_rows import episode_of, episode_values, incident_of, incident_values, roll_entry
from bot.store.prepared import Prepared, Values, others_commits
from bot.store.reading import read_all
from bot.store.text import clean
from bot.store.upsert import insert_or_update
from bot.store.value_lists import padded
from triage.model import (
    Episode,
    Incident,
    IncidentShape,
    IncidentStatus,
    Severity,
    Source,
    Subject,
    SubjectKind,
)
from triage.ports.store import RollCount, RollEntry

_t = tables.incidents
_e = tables.episodes
_RESOLVED = IncidentStatus.RESOLVED.value
_FIRING = sa.func.count().filter(_e.c.firing & ~_e.c.is_event)
_EPISODE_KEY = ("source", "episode")

# Built once: building such a statement takes longer than running it.
_SAVE = Prepared(sa.update(_t).where(_t.c.id == sa.bindparam("incident")))
_INSERT = Prepared(sa.insert(_t).returning(_t.c.id))
_HANDLE = Prepared(sa.select(_t.c.handle).where(_t.c.id == sa.bindparam("incident")))
_BY_ID = Prepared(sa.select(_t).where(_t.c.id == sa.bindparam("incident")))
_BY_HANDLE = Prepared(sa.select(_t).where(_t.c.handle == sa.bindparam("wanted")))
# Written out, not bound: the index of the open ones is used only where the planner sees the condition.
IS_OPEN = _t.c.status != sa.literal_column(f"'{_RESOLVED}'")
_OPEN = Prepared(sa.select(_t).where(IS_OPEN).order_by(_t.c.id))
# In their order: without one SQLite takes an index of all incidents, and none open is the usual case.
_ANY_OPEN = Prepared(sa.select(_t.c.id).where(IS_OPEN).order_by(_t.c.id).limit(1))
# Two questions that each have an index; one with an OR reads every incident there ever was.
_SINCE = sa.union_all(
    sa.select(_t.c.id).where(IS_OPEN),
    sa.select(_t.c.id).where(
        _t.c.status == _RESOLVED, _t.c.changed_at > sa.bindparam("since", type_=tables.UtcTime)
    ),
).subquery()
_NEWEST = sa.select(_SINCE.c.id).order_by(_SINCE.c.id.desc()).limit(sa.bindparam("most"))
_RECENT_IDS = Prepared(_NEWEST)
_RECENT = Prepared(sa.select(*as_stored(_t)).where(_t.c.id.in_(_NEWEST)).order_by(_t.c.id))
_IS_STORM = _t.c.shape == sa.literal_column(f"'{IncidentShape.STORM.value}'")  # written out: as IS_OPEN
_STORM_AT = Prepared(
    sa.select(_t)
    .where(
        _IS_STORM,
        _t.c.opened_at <= sa.bindparam("latest", type_=tables.UtcTime),
        _t.c.last_seen_at >= sa.bindparam("at", type_=tables.UtcTime),
    )
    .order_by(_t.c.opened_at.desc())
    .limit(1)
)
_NEAR = Prepared(
    sa.select(_t).where(_t.c.id.between(sa.bindparam("first"), sa.bindparam("last"))).order_by(_t.c.id)
)
_BY_IDS = Prepared(sa.select(_t).where(_t.c.id.in_(sa.bindparam("ids", expanding=True))).order_by(_t.c.id))
_OF_INCIDENTS = _e.c.incident_id.in_(sa.bindparam("ids", expanding=True))
_EPISODES = Prepared(sa.select(_e).where(_OF_INCIDENTS).order_by(_e.c.starts_at, _e.c.id))
_NAMES = Prepared(sa.select(_e.c.incident_id, _e.c.name).where(_OF_INCIDENTS).distinct())
# Not by pairs: with two of them or more SQLite reads every episode there ever was.
_NAMED = Prepared(
    sa.select(_e).where(
        _e.c.source.in_(sa.bindparam("sources", expanding=True)),
        _e.c.episode.in_(sa.bindparam("episodes", expanding=True)),
    )
)
_FIRING_OF = Prepared(
    sa.select(_e).where(_e.c.fingerprint.in_(sa.bindparam("fingerprints", expanding=True)), _e.c.firing)
)
_OF_INCIDENT = _e.c.incident_id == sa.bindparam("incident")
_ALERT = Prepared(
    sa.select(_e)
    .where(
        _OF_INCIDENT,
        _e.c.name == sa.bindparam("name"),
        _e.c.subject_kind == sa.bindparam("kind"),
        _e.c.subject_name == sa.bindparam("subject"),
    )
    .order_by(_e.c.starts_at, _e.c.id)
)
_NOTABLE = Prepared(
    sa.select(_e)
    .where(_OF_INCIDENT)
    .order_by(_e.c.firing.desc(), _e.c.severity, _e.c.starts_at, _e.c.id)
    .limit(sa.bindparam("most"))
)
_TALLY = Prepared(sa.select(_e.c.name, sa.func.count(), _FIRING).where(_OF_INCIDENT).group_by(_e.c.name))
_ENTRIES = (
    sa.select(
        _e.c.incident_id,
        _e.c.name,
        _e.c.subject_kind,
        _e.c.subject_name,
        _e.c.severity,
        _e.c.word,
        _e.c.firing,
        _e.c.starts_at,
    )
    .where(_OF_INCIDENTS)
    .limit(sa.bindparam("most"))
)
_ROLL = Prepared(_ENTRIES.order_by(_e.c.id).offset(sa.bindparam("first")))
_LEADING = Prepared(
    _ENTRIES.where(
        (_e.c.severity == Severity.SEV1.value) | _e.c.word.in_(sa.bindparam("words", expanding=True))
    ).order_by(_e.c.firing.desc(), _e.c.severity, _e.c.id)
)
# Written out, not bound: PostgreSQL must see that the selected and the grouped expression are the same.
_BOT = sa.case(
    (_e.c.subject_kind == sa.literal_column(f"'{SubjectKind.BOT.value}'"), _e.c.subject_name),
    else_=sa.literal_column("''"),
)
_ALIKE = (_e.c.name, _e.c.severity, _e.c.word, _e.c.firing, _BOT)
_ROLL_COUNTS = Prepared(
    sa.select(*_ALIKE, sa.func.count())
    .where(_OF_INCIDENTS)
    .group_by(*_ALIKE)
    .order_by(sa.func.min(_e.c.id))  # as they came
)
_SEVERITIES = frozenset(Severity)
# The newest first: of a storm's thousands, all that are counted came last.
_LATELY = Prepared(
    sa.select(sa.func.count()).select_from(
        sa.select(_e.c.id)
        .where(_OF_INCIDENT, _e.c.firing, _e.c.last_seen_at >= sa.bindparam("since", type_=tables.UtcTime))
        .order_by(_e.c.id.desc())
        .limit(sa.bindparam("most"))
        .subquery()
    )
)
_COUNTS = Prepared(sa.select(_FIRING, sa.func.count()).where(_OF_INCIDENT))
_HOW_MANY = Prepared(sa.select(sa.func.count()).where(_OF_INCIDENTS))


class IncidentTable:
    """Implements ``triage.ports.store.Incidents``."""

    def __init__(
        self,
        connection: sa.Connection,
        *,
        writing: bool,
        unreadable: Unreadable,
        cache: IncidentCache | None = None,
    ) -> None:
        self._connection = connection
        self._unreadable = unreadable
        self._cache = cache or IncidentCache()
        self._changing: set[int] = set()
        # A row that is read to be changed stays locked until the commit, or two replicas would
        # overwrite each other's change. SQLite's one writer needs no such lock and ignores it.
        self._lock = writing

    def get(self, incident_id: int) -> Incident | None:
        """Return an incident; inside a write it stays locked until the commit."""
        return next(iter(self._incidents(_BY_ID, incident=incident_id)), None)

    def by_handle(self, handle: str) -> Incident | None:
        """Return the incident that an opaque id of a button stands for."""
        return next(iter(self._incidents(_BY_HANDLE, wanted=clean(handle))), None)

    def _incidents(self, query: Prepared, **values: object) -> list[Incident]:
        asked = query.locking if self._lock else query
        return read_all(self._connection, asked, values, incident_of, self._unreadable)

    def _episodes(self, query: Prepared, **values: object) -> list[Episode]:
        return read_all(self._connection, query, values, episode_of, self._unreadable)

    def handle(self, incident_id: int) -> str:
        """Return the opaque id that stands for an incident in buttons."""
        return str(_HANDLE.scalars(self._connection, {"incident": incident_id})[0])

    def open(self) -> list[Incident]:
        """Return the incidents that are not resolved, oldest first."""
        return self._incidents(_OPEN)

    def any_open(self) -> bool:
        """Say whether an incident is not resolved."""
        return bool(_ANY_OPEN.scalars(self._connection, {}))

    def recent(self, since: datetime, limit: int = 200) -> list[Incident]:
        """Return incidents that are open or changed after ``since``, oldest first; the newest ``limit``."""
        stamps = self._stamps({"since": since, "most": limit})
        return self._cache.incidents(
            stamps, lambda ids: self._incidents(_BY_IDS, ids=padded(ids)), changing=self._changing
        )

    def _stamps(self, values: Values) -> dict[int, object]:
        """Return the recent incidents' ids, the oldest first, each with what is another where it was changed."""
        if self._connection.dialect.name == "sqlite":
            found = _RECENT_IDS.scalars(self._connection, values)
            return dict.fromkeys(reversed(found), others_commits(self._connection))
        query = _RECENT.locking if self._lock else _RECENT
        return {row[0]: row for row in query.tuples(self._connection, values)}

    def storm_at(self, at: datetime, *, before: timedelta) -> Incident | None:
        """Return the newest storm that alerts came to at a time or later, and that began at most so long after it."""
        return next(iter(self._incidents(_STORM_AT, at=at, latest=at + before)), None)

    def near(self, incident_id: int, most: int) -> list[Incident]:
        """Return up to so many incidents that were opened before and after one."""
        return self._incidents(_NEAR, first=incident_id - most, last=incident_id + most)

    def save(self, incident: Incident) -> Incident:
        """Insert (id 0) or update an incident; returns it with its id."""
        values = incident_values(incident)
        if incident.id:
            self._changes(incident.id)
            _SAVE.run(self._connection, {**values, "incident": incident.id})
            return incident
        values["handle"] = secrets.token_urlsafe(12)
        new = incident_of({**values, "id": int(_INSERT.scalar(self._connection, values))})
        self._changes(new.id)
        return new

    def _changes(self, incident_id: int) -> None:
        self._cache.forget(incident_id)
        self._changing.add(incident_id)

    def episodes(self, incident_ids: Iterable[int]) -> list[Episode]:
        """Return the episodes of incidents, in the order they began."""
        ids = list(incident_ids)
        return self._episodes(_EPISODES, ids=padded(ids)) if ids else []

    def episodes_of(self, incident_id: int, name: str, subject: Subject) -> list[Episode]:
        """Return the episodes of one alert about one subject in an incident, in the order they began."""
        values = {
            "incident": incident_id,
            "name": clean(name),
            "kind": subject.kind.value,
            "subject": clean(subject.name),
        }
        return self._episodes(_ALERT, **values)

    def notable_episodes(self, incident_id: int, limit: int = 300) -> list[Episode]:
        """Return what of an incident is worth showing, in the order they began: a storm holds thousands."""
        found = self._episodes(_NOTABLE, incident=incident_id, most=limit)
        return sorted(found, key=lambda episode: episode.starts_at)

    def tally(self, incident_id: int) -> dict[str, tuple[int, int]]:
        """Return by alert name how many episodes an incident has, and how many of them fire now."""
        rows = _TALLY.tuples(self._connection, {"incident": incident_id})
        return {name: (int(total), int(firing)) for name, total, firing in rows}

    def episode(self, source: Source, episode: str) -> Episode | None:
        """Return one episode by its name."""
        return next(iter(self.episodes_named([(source, episode)])), None)

    def episodes_named(self, keys: Iterable[tuple[Source, str]]) -> list[Episode]:
        """Return the episodes of these (source, episode) that are known."""
        wanted = {(source, clean(episode)) for source, episode in keys}
        if not wanted:
            return []
        sources, episodes = (sorted(set(names)) for names in zip(*wanted, strict=True))
        found = self._episodes(
            _NAMED, sources=padded([source.value for source in sources]), episodes=padded(episodes)
        )
        return [episode for episode in found if (episode.source, episode.episode) in wanted]

    def firing_of(self, fingerprints: Iterable[str]) -> list[Episode]:
        """Return the episodes of these alerts that fire."""
        wanted = [clean(fingerprint) for fingerprint in fingerprints]
        return self._episodes(_FIRING_OF, fingerprints=padded(wanted)) if wanted else []

    def names(self, incident_ids: Iterable[int]) -> dict[int, set[str]]:
        """Return the alert names that each incident holds."""
        names: dict[int, set[str]] = {}
        for incident_id, name in _NAMES.tuples(self._connection, {"ids": padded(list(incident_ids))}):
            names.setdefault(incident_id, set()).add(name)
        return names

    def roll(self, incident_ids: Collection[int], *, first: int, most: int) -> list[RollEntry]:
        """Return the episodes of incidents in a few words, in the order of arrival."""
        values = {"ids": padded(list(incident_ids)), "first": first, "most": most}
        return read_all(self._connection, _ROLL, values, roll_entry, self._unreadable, key=_e.c.id)

    def leading(self, incident_ids: Collection[int], words: Collection[str], most: int) -> list[RollEntry]:
        """Return the episodes that are Sev-1 or whose label has one of some words, in the order of their urgency."""
        values = {"ids": padded(list(incident_ids)), "words": padded(sorted(words)), "most": most}
        return read_all(self._connection, _LEADING, values, roll_entry, self._unreadable, key=_e.c.id)

    def roll_counts(self, incident_ids: Collection[int]) -> list[RollCount]:
        """Return how many episodes of incidents are alike."""
        rows = _ROLL_COUNTS.tuples(self._connection, {"ids": padded(list(incident_ids))})
        return [
            RollCount(name=name, severity=Severity(severity), word=word, firing=firing, bot=bot, count=count)
            for name, severity, word, firing, bot, count in rows
            if severity in _SEVERITIES  # one that cannot be read costs itself alone
        ]

    def lately(self, incident_id: int, since: datetime, most: int) -> int:
        """Return how many firing episodes of an incident came after ``since``; ``most`` where it are more."""
        return int(_LATELY.scalar(self._connection, {"incident": incident_id, "since": since, "most": most}))

    def counts(self, incident_id: int) -> tuple[int, int]:
        """Return how many alerts of an incident fire now, and how many episodes it has in all."""
        firing, total = _COUNTS.tuples(self._connection, {"incident": incident_id})[0]
        return int(firing), int(total)

    def how_many(self, incident_ids: Collection[int]) -> int:
        """Return how many episodes incidents have in all."""
        return int(_HOW_MANY.scalar(self._connection, {"ids": padded(list(incident_ids))}))

    def put_episode(self, episode: Episode) -> None:
        """Insert or update an episode by (source, episode)."""
        self.put_episodes([episode])

    def put_episodes(self, episodes: Sequence[Episode]) -> None:
        """Insert or update episodes, each of them named once."""
        if not episodes:
            return
        rows = [episode_values(episode) for episode in episodes]
        changing = tuple(name for name in rows[0] if name not in _EPISODE_KEY)
        statement = insert_or_update(self._connection, _e, *_EPISODE_KEY, changing=changing)
        statement.run_each(self._connection, rows)
