"""Where an operator looks further: links to Grafana, Prometheus and Alertmanager, as their own pages take them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from triage.desk import Desk
from triage.masking import masked
from triage.model import Episode, Incident
from triage.playbooks.lookup import playbook_for
from triage.queries.logql import from_template
from triage.reports.incident_view import Links

_GRAPH = re.compile(r"g\d{1,2}\.[a-z_]{1,30}")
LONGEST = 1_500
"""Characters of a link at the most: a label of a megabyte must not cost the message its other content."""


@dataclass(frozen=True, slots=True)
class LinkMaker:
    """Makes an incident's links out of the URLs in the settings; an empty URL gives no link.

    What a URL holds of user and password is for our own requests: no link has it.
    """

    desk: Desk
    grafana: str
    prometheus: str
    alertmanager: str

    def __post_init__(self) -> None:
        for name in ("grafana", "prometheus", "alertmanager"):
            object.__setattr__(self, name, without_userinfo(getattr(self, name)))

    def links(self, incident: Incident, episodes: tuple[Episode, ...]) -> Links:
        """Return the links of an incident."""
        return Links(
            grafana=_short(self._dashboard(incident)),
            prometheus=_short(self._expression(episodes)),
            logs=_short(self._logs(incident)),
            alertmanager=_short(self._alert(incident)),
        )

    def _dashboard(self, incident: Incident) -> str:
        if not self.grafana:
            return ""
        dashboard = playbook_for(self.desk, incident.name).dashboard
        return f"{self.grafana.rstrip('/')}/dashboards?{urlencode({'query': dashboard})}"

    def _expression(self, episodes: tuple[Episode, ...]) -> str:
        if not self.prometheus:
            return ""
        base = self.prometheus.rstrip("/")
        # Alertmanager hands on whatever was posted to it: only a link to our own Prometheus is shown.
        for episode in episodes:
            query = _graph_query(episode.generator_url)
            if query:
                return f"{base}/graph?{query}"
        return f"{base}/alerts"

    def _logs(self, incident: Incident) -> str:
        if not self.grafana or not incident.bots:
            return ""
        began = incident.opened_at - timedelta(minutes=self.desk.triage.log_window_minutes)
        query = f'{from_template(self.desk.triage.bot_log_selector, bot=incident.bots[0])} |= "ERROR"'
        left = {
            "datasource": "Loki",
            "queries": [{"refId": "A", "expr": query}],
            "range": {"from": str(int(began.timestamp() * 1000)), "to": "now"},
        }
        return f"{self.grafana.rstrip('/')}/explore?orgId=1&left={quote(json.dumps(left))}"

    def _alert(self, incident: Incident) -> str:
        if not self.alertmanager:
            return ""
        matcher = "{" + f"alertname={json.dumps(incident.name)}" + "}"
        return f"{self.alertmanager.rstrip('/')}/#/alerts?{urlencode({'filter': matcher})}"


def _graph_query(url: str) -> str:
    """Return the parameters of a graph in Prometheus (``g0.expr`` …), no others: one could carry a token."""
    try:
        generator = urlsplit(url)
    except ValueError:
        return ""
    if not generator.path.endswith("/graph"):
        return ""
    kept = [(name, masked(value)) for name, value in parse_qsl(generator.query) if _GRAPH.fullmatch(name)]
    return urlencode(kept)


def without_userinfo(url: str) -> str:
    """Return a URL without ``user:password@``, whatever characters the password has; and without a query."""
    scheme, sign, rest = url.partition("://")
    if not sign:
        return ""
    rest = rest.rpartition("@")[2]
    return f"{scheme}://{re.split('[?#]', rest, maxsplit=1)[0]}"


def _short(link: str) -> str:
    return link if len(link) <= LONGEST else ""
