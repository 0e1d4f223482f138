"""Links of an incident: to our own Grafana, Prometheus and Alertmanager, and to nowhere else."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from bot.links import LONGEST, LinkMaker
from tests.fakes.episodes import firing
from triage.desk import Desk
from triage.model import Episode, Incident, IncidentStatus, Severity, Subject, SubjectKind
from triage.reports.incident_view import Links

OPENED = datetime(2026, 2, 21, 9, 30, tzinfo=UTC)
MAKER = LinkMaker(Desk(), "http://grafana:3000", "http://prometheus:9090/", "http://alertmanager:9093")
INCIDENT = Incident(
    id=42,
    title="bot1 hard_stop",
    name="BotHardStopActive",
    subjects=(Subject(SubjectKind.BOT, "bot1"),),
    severity=Severity.SEV1,
    status=IncidentStatus.TRIGGERED,
    opened_at=OPENED,
    changed_at=OPENED,
)


def episode(generator_url: str) -> Episode:
    """Return the alert's firing, as Alertmanager told where it comes from."""
    return firing(
        "BotHardStopActive", INCIDENT.subjects[0], OPENED, incident_id=42, generator_url=generator_url
    )


def test_the_dashboard_is_the_one_of_the_playbook() -> None:
    """Grafana is asked for it by name, as dashboards have other ids on every desk."""
    link = urlsplit(MAKER.links(INCIDENT, ()).grafana)
    assert (link.netloc, link.path) == ("grafana:3000", "/dashboards")
    assert parse_qs(link.query)["query"][0]


def test_the_logs_are_the_bots_own_errors_from_before_it_began() -> None:
    """Grafana's Explore takes its query as JSON in the address."""
    link = urlsplit(MAKER.links(INCIDENT, ()).logs)
    left = json.loads(parse_qs(link.query)["left"][0])
    assert left["queries"][0]["expr"] == '{job="bot_logs", bot="bot1"} |= "ERROR"'
    began = datetime.fromtimestamp(int(left["range"]["from"]) / 1000, UTC)
    assert began == OPENED - timedelta(minutes=Desk().triage.log_window_minutes)


def test_an_incident_without_a_bot_has_no_log_link() -> None:
    """There is no selector for it."""
    host = replace(INCIDENT, subjects=(Subject(SubjectKind.HOST, "node1"),))
    assert MAKER.links(host, ()).logs == ""


def test_the_expression_opens_on_our_own_prometheus() -> None:
    """The query of the alert's address is kept, the host is the one of the settings."""
    link = MAKER.links(INCIDENT, (episode("http://p-internal:9090/graph?g0.expr=up%3D%3D0&g0.tab=1"),))
    assert link.prometheus == "http://prometheus:9090/graph?g0.expr=up%3D%3D0&g0.tab=1"


@pytest.mark.parametrize(
    "generator",
    ["https://evil.example/login?next=/graph", "javascript:alert(1)", "", "http://evil.example/graph"],
)
def test_an_address_of_others_is_never_shown(generator: str) -> None:
    """Anybody who can post an alert could put a link in front of operators: it leads to our alerts instead."""
    assert MAKER.links(INCIDENT, (episode(generator),)).prometheus == "http://prometheus:9090/alerts"


def test_alertmanager_shows_the_alerts_of_that_name() -> None:
    """A quote in a name stays inside the matcher."""
    link = MAKER.links(replace(INCIDENT, name='odd"name'), ()).alertmanager
    query = urlsplit(urlsplit(link).fragment).query
    assert parse_qs(query)["filter"] == ['{alertname="odd\\"name"}']


def test_what_is_not_set_gives_no_link() -> None:
    """A button to nowhere is worse than none."""
    assert LinkMaker(Desk(), "", "", "").links(INCIDENT, (episode("http://p/graph?g0.expr=up"),)) == Links()


def test_a_link_that_slack_would_refuse_is_left_out() -> None:
    """A label of a megabyte costs its link, not the message."""
    links = MAKER.links(
        replace(INCIDENT, name="x" * 5000), (episode(f"http://p/graph?g0.expr={'y' * 5000}"),)
    )
    assert links.alertmanager == links.prometheus == ""
    assert 0 < len(links.grafana) <= LONGEST


def test_no_link_has_a_user_or_a_password_and_no_parameter_of_others() -> None:
    """They are posted where everybody reads; the passwords of the settings have every character there is."""
    maker = LinkMaker(
        Desk(),
        "https://ana:or@ch/id'7@grafana.test/g",
        "http://t0ken@prometheus:9090",
        "http://u:p?w#x@am:9093",
    )
    links = maker.links(INCIDENT, (episode("http://u:pw@p/graph?g0.expr=up&token=orchid77&g0.tab=1"),))
    said = " ".join(str(link) for link in (links.grafana, links.prometheus, links.logs, links.alertmanager))
    assert not [
        word
        for word in ("ana", "ch/id", "t0ken", "p?w", "orchid77", "u:")
        if word in said.replace("grafana", "")
    ]
    assert links.grafana.startswith("https://grafana.test/g/dashboards?")
    assert links.prometheus == "http://prometheus:9090/graph?g0.expr=up&g0.tab=1"
    assert links.alertmanager.startswith("http://am:9093/#/alerts")
