"""Files, as near to exactly once as Slack lets us.

Only ``files.completeUploadExternal`` is seen by people. The file's id is stored before it, so after an
unknown outcome the channel is searched for that very file instead of uploading another.
"""

from __future__ import annotations

from datetime import datetime

import aiohttp

from bot.slack.claims import Claims
from bot.slack.client import Posted, SlackClient, text_of
from bot.slack.errors import NotDone, OutcomeUnknown, classify
from bot.slack.rendered import FileContent
from triage.ports.store import Message, Store

UPLOAD = "files.getUploadURLExternal"


def file_key(message: Message) -> str:
    """Return the note under which the id of a message's uploaded file is kept."""
    return f"slack/file/{message.delivery_id}"


_FILE_GONE = frozenset({"file_not_found", "file_deleted", "file_expired"})


class Uploads:
    """Uploads files into channels and threads."""

    def __init__(self, client: SlackClient, store: Store, claims: Claims) -> None:
        self._client = client
        self._store = store
        self._claims = claims
        self._refused: set[str] = set()

    async def known_file(self, message: Message) -> str:
        """Return the id of the file that an earlier attempt uploaded, empty where there is none."""
        return await self._store.read(lambda tx: tx.notes.get(file_key(message))) or ""

    async def send(self, message: Message, file: FileContent, channel_id: str, comment: str) -> Posted:
        """Upload a file and share it in a channel, in the thread of the message's parent."""
        file_id = await self.known_file(message) or await self._upload(message, file)
        await self._claims.begin(message)
        try:
            await self._client.call(
                "files.completeUploadExternal",
                files=[{"id": file_id, "title": file.title}],
                channel_id=channel_id,
                thread_ts=message.parent_post_id or None,
                initial_comment=comment or None,
            )
        except NotDone as error:
            await self._forgotten(message, file_id, error)
            raise
        # Slack shares a file in its own time and names no ts; the file's id is what it is known by.
        return Posted(channel_id=channel_id, ts=file_id)

    async def _forgotten(self, message: Message, file_id: str, error: NotDone) -> None:
        """Upload anew with the next attempt where Slack forgot an upload that was never shared.

        An upload that was shared after all, late, is refused with the same word: so the channel is looked at once
        more before the file's id is forgotten.
        """
        if error.code not in _FILE_GONE:
            return
        if file_id not in self._refused:
            self._refused.add(file_id)
            return
        self._refused.discard(file_id)
        await self._store.write(lambda tx: tx.notes.put(file_key(message), ""))

    async def _upload(self, message: Message, file: FileContent) -> str:
        """Upload the bytes, which nobody sees yet, and return the file's id once it is stored."""
        answer = await self._client.read(
            UPLOAD, filename=file.name, length=len(file.content), alt_txt=file.alt_text or None
        )
        try:
            file_id, url = (text_of(answer, name, UPLOAD) for name in ("file_id", "upload_url"))
            if not url.startswith(("https://", "http://")):
                raise NotDone(UPLOAD, "bad_answer", "its upload_url is no address of HTTP")
            await self._put(url, file.content)
        except OutcomeUnknown as error:  # nobody saw it: a fresh upload repeats nothing
            raise NotDone(error.method, error.code) from error
        await self._store.write(lambda tx: tx.notes.put(file_key(message), file_id))
        return file_id

    async def _put(self, url: str, content: bytes) -> None:
        session = self._client.web.session
        if session is None:
            raise NotDone("upload", "no_session")
        try:
            async with session.post(url, data=content, proxy=self._client.web.proxy) as response:
                if not response.ok:
                    raise NotDone("upload", f"HTTP {response.status}")
        except (aiohttp.ClientError, OSError, TimeoutError, UnicodeError) as error:
            raise classify(error, "upload") from error


def attempted_since(message: Message) -> datetime:
    """Return when the earliest attempt with an unknown outcome began."""
    return message.attempted_at or message.created_at
