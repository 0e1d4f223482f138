"""Taking the bytes of an upload, and giving them back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from demo.slack.backend import SlackBackend
    from demo.slack.model import SharedFile

SHOWN_INLINE = {"image/png", "image/jpeg", "image/gif", "image/webp", "text/plain", "application/json"}


def add_routes(server: SlackBackend, application: web.Application) -> None:
    """Add `POST /upload/{key}` and `GET /files/{id}/{name}`."""

    async def take(request: web.Request) -> web.StreamResponse:
        key = request.match_info["key"]
        file = next((each for each in server.workspace.files.values() if each.upload_key == key), None)
        if file is None or file.completed:
            raise web.HTTPNotFound(text="this upload is unknown or closed")
        content = await _content(request)
        if len(content) != file.length:
            raise web.HTTPBadRequest(text=f"{file.length} bytes were announced, {len(content)} came")
        file.content = content
        return web.Response(text=f"OK - {len(content)}")

    async def give(request: web.Request) -> web.StreamResponse:
        return _served(server.workspace.files.get(request.match_info["id"]))

    application.router.add_post("/upload/{key}", take)
    application.router.add_get("/files/{id}/{name}", give)


async def _content(request: web.Request) -> bytes:
    """Return the raw body, or the first file of a multipart form."""
    if request.content_type != "multipart/form-data":
        return await request.read()
    for value in (await request.post()).values():
        if isinstance(value, web.FileField):
            return value.file.read()
    raise web.HTTPBadRequest(text="the form has no file")


def _served(file: SharedFile | None) -> web.Response:
    """Give a file so that a browser never runs what is in it: unknown kinds are downloads."""
    if file is None or file.content is None:
        raise web.HTTPNotFound
    inline = file.mimetype in SHOWN_INLINE
    return web.Response(
        body=file.content,
        headers={
            "Content-Type": file.mimetype if inline else "application/octet-stream",
            "Content-Disposition": "inline" if inline else "attachment",
            "Content-Security-Policy": "sandbox",
            "X-Content-Type-Options": "nosniff",
        },
    )
