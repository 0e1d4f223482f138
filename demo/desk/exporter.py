"""Serves the exposition pages over HTTP, a path each job, for a real Prometheus to scrape."""

from collections.abc import Mapping

from aiohttp import web

from demo.desk.exposition import Scrape, ScrapeFailedError

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Exporter:
    """``GET /<job>/metrics`` on a loopback port; 503 while the job's target does not answer."""

    def __init__(self, scrapes: Mapping[str, Scrape]) -> None:
        self._scrapes = scrapes
        self._runner: web.AppRunner | None = None
        self.port = 0

    async def start(self, port: int = 0) -> None:
        """Listen; port 0 takes a free one. Raises OSError when the port is in use."""
        application = web.Application()
        application.add_routes([web.get("/{job}/metrics", self._page)])
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        self.port = int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Close the port."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _page(self, request: web.Request) -> web.Response:
        scrape = self._scrapes.get(request.match_info["job"])
        if scrape is None:
            return web.Response(status=404, text=f"jobs: {', '.join(self._scrapes)}\n")
        try:
            text = scrape()
        except ScrapeFailedError as error:
            return web.Response(status=503, text=f"{error}\n")
        return web.Response(body=text.encode(), headers={"Content-Type": CONTENT_TYPE})
