"""The addresses of the workspace page, and the headers that keep it safe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from demo.slack.errors import SlackError
from demo.slack.page.live import Live
from demo.slack.page.options import PageOptions
from demo.slack.page.render import HERE, Renderer

if TYPE_CHECKING:
    from collections.abc import Callable

    from demo.slack.model import User
    from demo.slack.server import SlackServer

SAFE = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: http: https:;"
        " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def workspace_page(options: PageOptions | None = None) -> Callable[[SlackServer, web.Application], None]:
    """Return the `extend` argument that gives a `SlackServer` its page."""

    def extend(server: SlackServer, application: web.Application) -> None:
        install(server, application, options)

    return extend


def install(server: SlackServer, application: web.Application, options: PageOptions | None = None) -> None:
    """Add the page, its panes, its live connection and its static files."""
    Page(server, options or PageOptions()).add_routes(application)


class Page:
    """Serves `/w/{user}/{place}` and what belongs to it."""

    def __init__(self, server: SlackServer, options: PageOptions) -> None:
        self._server = server
        self._options = options
        self._renderer = Renderer(server, options)
        self._live = Live(server, self._renderer)

    def add_routes(self, application: web.Application) -> None:
        """Add every address."""
        router = application.router
        router.add_get("/", self._root)
        router.add_get("/archives/{channel}", self._archive)
        router.add_get("/archives/{channel}/{message}", self._archive)
        router.add_get("/w/{user}/live", self._connect)
        router.add_get("/w/{user}/modal", self._modal)
        router.add_get("/w/{user}/pane/{place}", self._pane)
        router.add_get("/w/{user}/thread/{place}/{ts}", self._thread)
        router.add_get("/w/{user}/{place}", self._page)
        router.add_static("/static/", HERE / "static")

        async def close(_: web.Application) -> None:
            await self._live.close()

        application.on_shutdown.append(close)

    def _viewer(self, request: web.Request) -> User:
        try:
            return self._server.workspace.user(request.match_info["user"])
        except SlackError:
            raise web.HTTPNotFound(text="There is nobody of that name in this workspace.") from None

    def _place(self, request: web.Request, viewer: User) -> str:
        """Return the place asked for, if the viewer may see it."""
        place = request.match_info["place"]
        if place == "home":
            return place
        try:
            channel = self._server.workspace.channel(place)
        except SlackError:
            raise web.HTTPNotFound(text="There is no such channel.") from None
        if viewer.id not in channel.members:
            raise web.HTTPNotFound(text="There is no such channel.")
        return place

    async def _root(self, request: web.Request) -> web.StreamResponse:
        user = request.cookies.get("user", "")
        known = {each.name for each in self._server.workspace.users.values()}
        name = user if user in known else self._options.user
        raise web.HTTPFound(f"/w/{name}/{self._options.channel}")

    async def _archive(self, request: web.Request) -> web.StreamResponse:
        """Redirect a permalink to the message, in the channel or in its thread."""
        user = request.cookies.get("user") or self._options.user
        try:
            channel = self._server.workspace.channel(request.match_info["channel"])
        except SlackError:
            raise web.HTTPNotFound(text="There is no such channel.") from None
        raw = request.match_info.get("message", "").removeprefix("p")
        ts = f"{raw[:-6]}.{raw[-6:]}" if raw else ""
        thread = request.query.get("thread_ts", "")
        query = f"?thread={thread}" if thread else ""
        raise web.HTTPFound(f"/w/{user}/{channel.name}{query}" + (f"#m-{ts}" if ts else ""))

    async def _page(self, request: web.Request) -> web.StreamResponse:
        viewer = self._viewer(request)
        theme = request.cookies.get("theme", "")
        html = self._renderer.page(
            viewer,
            self._place(request, viewer),
            request.query.get("thread", ""),
            theme if theme in {"light", "dark"} else "",
        )
        response = _html(html)
        response.set_cookie("user", viewer.name, samesite="Strict")
        return response

    async def _pane(self, request: web.Request) -> web.StreamResponse:
        viewer = self._viewer(request)
        return _html(self._renderer.pane(viewer, self._place(request, viewer)))

    async def _thread(self, request: web.Request) -> web.StreamResponse:
        viewer = self._viewer(request)
        return _html(self._renderer.thread(viewer, self._place(request, viewer), request.match_info["ts"]))

    async def _modal(self, request: web.Request) -> web.StreamResponse:
        return _html(self._renderer.modal(self._viewer(request)))

    async def _connect(self, request: web.Request) -> web.StreamResponse:
        return await self._live.serve(request, self._viewer(request))


def _html(body: str) -> web.Response:
    return web.Response(text=body, content_type="text/html", headers=SAFE)
