"""Grafana's files: of its schema, with no query that the real Prometheus has no data for. No Grafana can be had here.

The models are the parts of ``@grafana/schema`` 10.4 (``Dashboard``, ``Panel``, ``PrometheusDataQuery`` …) that the
files use; what is not in them is refused.
"""

import json
import re
from collections.abc import AsyncIterator, Callable
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field
from ruamel.yaml import YAML

from tests.flows.harness import Harness, running_harness

FOLDER = Path(__file__).parents[2] / "deploy" / "grafana"
FILES = sorted((FOLDER / "dashboards").glob("*.json"))


class Strict(BaseModel):
    """A type of the schema: exactly these fields."""

    model_config = ConfigDict(extra="forbid")


class Source(Strict):
    """``DataSourceRef``."""

    type: Literal["prometheus"]
    uid: Literal["${datasource}"]


class Query(Strict):
    """``PrometheusDataQuery``."""

    datasource: Source
    refId: Annotated[str, Field(pattern=r"^[A-Z]$")]  # noqa: N815 - the schema's name
    expr: Annotated[str, Field(min_length=1)]
    legendFormat: str  # noqa: N815 - as above
    instant: bool = False
    range: bool = True
    format: Literal["time_series", "table"] = "time_series"


class Place(Strict):
    """``GridPos``: 24 columns."""

    x: Annotated[int, Field(ge=0, lt=24)]
    y: Annotated[int, Field(ge=0)]
    w: Annotated[int, Field(gt=0, le=24)]
    h: Annotated[int, Field(gt=0)]


class Step(Strict):
    """``Threshold``: the first has no value."""

    color: Literal["green", "orange", "red"]
    value: float | None


class Thresholds(Strict):
    """``ThresholdsConfig``."""

    mode: Literal["absolute", "percentage"]
    steps: Annotated[list[Step], Field(min_length=1)]


class Color(Strict):
    """``FieldColor``."""

    mode: Literal["thresholds", "palette-classic"]


class Defaults(Strict):
    """``FieldConfig``."""

    unit: Literal["none", "s", "bytes", "cpm"]
    color: Color
    thresholds: Thresholds
    decimals: int | None = None
    custom: dict[str, Any] = {}


class Fields(Strict):
    """``FieldConfigSource``."""

    defaults: Defaults
    overrides: list[dict[str, Any]]


class Panel(Strict):
    """``Panel``."""

    id: int
    type: Literal["stat", "timeseries", "table"]
    title: Annotated[str, Field(min_length=1)]
    description: str
    datasource: Source
    gridPos: Place  # noqa: N815 - the schema's name
    targets: Annotated[list[Query], Field(min_length=1)]
    fieldConfig: Fields  # noqa: N815 - as above
    options: dict[str, Any]


class Variable(Strict):
    """``VariableModel``: which data source."""

    name: Literal["datasource"]
    label: str
    type: Literal["datasource"]
    query: Literal["prometheus"]
    refresh: Literal[1]
    regex: str
    hide: Literal[0]
    includeAll: bool  # noqa: N815 - the schema's name
    multi: bool
    options: list[dict[str, Any]]
    skipUrlSync: bool  # noqa: N815 - as above


class Variables(Strict):
    """The list of variables."""

    list: list[Variable]


class Dashboard(Strict):
    """``Dashboard``."""

    uid: Annotated[str, Field(pattern=r"^[a-z-]{1,40}$")]
    title: str
    description: str
    tags: list[str]
    editable: bool
    graphTooltip: Literal[0, 1, 2]  # noqa: N815 - the schema's name
    schemaVersion: Annotated[int, Field(ge=36)]  # noqa: N815 - as above
    version: int
    refresh: str
    timezone: Literal["utc", "browser"]
    time: dict[Literal["from", "to"], str]
    timepicker: dict[str, Any]
    fiscalYearStartMonth: int  # noqa: N815 - as above
    weekStart: str  # noqa: N815 - as above
    links: list[dict[str, Any]]
    annotations: dict[str, Any]
    templating: Variables
    panels: list[Panel]


def read(file: Path) -> Dashboard:
    """Read a dashboard by the schema."""
    return Dashboard.model_validate(json.loads(file.read_text(encoding="utf-8")))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_dashboard_is_of_grafanas_schema_and_its_panels_stand_apart(file: Path) -> None:
    """Ids and letters of queries are there once, no panel lies on another one or beyond the last column."""
    board = read(file)
    assert len({panel.id for panel in board.panels}) == len(board.panels)
    for panel in board.panels:
        assert panel.gridPos.x + panel.gridPos.w <= 24
        assert len({query.refId for query in panel.targets}) == len(panel.targets)
        assert panel.fieldConfig.defaults.thresholds.steps[0].value is None
    for one, other in combinations((panel.gridPos for panel in board.panels), 2):
        apart = (
            one.x + one.w <= other.x
            or other.x + other.w <= one.x
            or one.y + one.h <= other.y
            or other.y + other.h <= one.y
        )
        assert apart, (one, other)


def test_the_provider_reads_the_folder_and_both_are_other_dashboards() -> None:
    """Grafana's provisioning takes the files as they lie."""
    text = (FOLDER / "provisioning" / "dashboards" / "hbot-triage.yaml").read_text(encoding="utf-8")
    data = YAML(typ="safe").load(text)
    assert data["apiVersion"] == 1
    [provider] = data["providers"]
    assert (provider["type"], provider["options"]["path"]) == ("file", "/var/lib/grafana/hbot-triage")
    assert len({read(file).uid for file in FILES}) == len({read(file).title for file in FILES}) == 2


@pytest.fixture
async def harness(require: Callable[..., Path], tmp_path: Path) -> AsyncIterator[Harness]:
    """The service with an incident, whose /metrics a real Prometheus scrapes."""
    async with running_harness(require, tmp_path) as harness:
        targets = {
            **harness.prometheus.config.targets,
            "hbot-triage": [harness.bot.url.removeprefix("http://")],
        }
        harness.prometheus.config.targets = targets
        assert await harness.prometheus.reload() == 200
        harness.exporter.set("bot1", state="hard_stop")
        await harness.card(lambda card: "hard stop" in card.text)
        await harness.prometheus.until("triage_slack_posts_total > 0")
        yield harness


async def test_every_panel_has_data_from_the_service_as_it_runs(harness: Harness) -> None:
    """Each expression is understood and answered by Prometheus; each of our metrics in it is on the page."""
    page = (await harness.bot.get("/metrics")).text
    queries = {query.expr for file in FILES for panel in read(file).panels for query in panel.targets}
    known = set(re.findall(r"^# TYPE (\S+) ", page, re.MULTILINE))
    for name in {name for expr in queries for name in re.findall(r"\b(?:triage|process)_\w+", expr)}:
        assert re.sub(r"_bucket$", "", name) in known or name.removesuffix("_total") in known, name
    for expr in sorted(queries):
        result = await harness.prometheus.until(expr, within=20)
        assert result, expr
    assert "Sev-1" in str(await harness.prometheus.query("triage_incidents_open == 1"))
