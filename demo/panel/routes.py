"""The panel's addresses: its script and style, its live state, and what its buttons ask for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from demo.panel.state import Json, menu, panel_state
from demo.progress import NotNow
from demo.slack.page import PageOptions, install

if TYPE_CHECKING:
    from demo.scenario_runner import ScenarioRunner
    from demo.slack import SlackServer

HERE = Path(__file__).parent
LOOK_SECONDS, AT_LEAST_EVERY = 0.25, 5.0
OPTIONS = PageOptions(
    panel_script="/panel/static/panel.js", panel_style="/panel/static/panel.css", panel_title="Scenarios"
)


@dataclass(slots=True)
class Panel:
    """What the panel shows and asks for. ``runner`` is None while a desk is being set up.

    ``rounds`` counts the desks: a page that sees it change loads itself anew.
    """

    runner: ScenarioRunner | None = None
    note: str = "Setting up the desk…"
    rounds: int = 0
    reset: asyncio.Event = field(default_factory=asyncio.Event)

    def state(self) -> Json:
        """Return what is shown now."""
        if self.runner is None:
            shown: Json = {"ready": False, "scenarios": menu()}
        else:
            shown = panel_state(self.runner)
        return {**shown, "note": self.note, "round": self.rounds}

    def ready(self) -> ScenarioRunner:
        """Return the scenario runner. Raises NotNow while there is none."""
        if self.runner is None:
            raise NotNow("The desk is being set up: a moment, please.")
        return self.runner


def page_with(panel: Panel) -> Callable[[SlackServer, web.Application], None]:
    """Return the ``extend`` argument that gives a SlackServer its page with this panel."""

    def extend(server: SlackServer, application: web.Application) -> None:
        install(server, application, OPTIONS)
        Routes(panel).add_to(application)

    return extend


class Routes:
    """Serves ``/panel/``."""

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        self._ending = asyncio.Event()

    def add_to(self, application: web.Application) -> None:
        """Add every address."""
        router = application.router
        router.add_static("/panel/static/", HERE / "static")
        router.add_get("/panel/state", self._state)
        router.add_get("/panel/live", self._live)
        router.add_post("/panel/{verb}", self._act)

        async def end(_: web.Application) -> None:
            self._ending.set()

        application.on_shutdown.append(end)

    async def _state(self, _: web.Request) -> web.Response:
        return web.json_response(self._panel.state(), headers={"Cache-Control": "no-store"})

    async def _live(self, request: web.Request) -> web.StreamResponse:
        """Send the state as server-sent events, whenever more than the time of day changed."""
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        await response.prepare(request)
        told, since = "", 0.0
        loop = asyncio.get_running_loop()
        try:
            while not self._ending.is_set():
                state = self._panel.state()
                news = json.dumps({**state, "time": {**state.get("time", {}), "now": 0}})
                if news != told or loop.time() - since > AT_LEAST_EVERY:
                    told, since = news, loop.time()
                    await response.write(f"data: {json.dumps(state)}\n\n".encode())
                await asyncio.sleep(LOOK_SECONDS)
        except ConnectionError:
            pass  # the page is gone
        return response

    async def _act(self, request: web.Request) -> web.Response:
        """Do what a button asks for; 409 with a sentence where it cannot be."""
        try:
            body = await request.json()
            self._do(request.match_info["verb"], body if isinstance(body, dict) else {})
        except (KeyError, TypeError, ValueError) as error:
            return web.json_response({"error": f"not understood: {error!r}"}, status=400)
        except NotNow as error:
            return web.json_response({"error": str(error)}, status=409)
        return web.json_response(self._panel.state())

    def _do(self, verb: str, body: Json) -> None:
        runner = self._panel.ready()
        match verb:
            case "start":
                runner.start(body["name"])
            case "reveal":
                runner.reveal(body["name"])
            case "speed":
                runner.choose(float(body["speed"]))
            case "skip":
                runner.skip()
            case "reset":
                self._panel.reset.set()
            case _:
                raise KeyError(verb)
