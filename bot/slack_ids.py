"""The shapes of Slack's ids, for whoever reads one from a setting."""

from __future__ import annotations

import re

from triage.desk_sections.chat_ids import IDS, ChatIds

PERSON, GROUP = re.compile(r"[UW][A-Z0-9]{6,}"), re.compile(r"S[A-Z0-9]{6,}")
CHANNEL = re.compile(r"[CG][A-Z0-9]{6,}|#?[a-z0-9_\-]{1,80}")
"""A channel's id or its name."""
CHANNEL_LOWER = re.compile(r"[cg]0(?=[a-z]*[0-9])[a-z0-9]{7,}")
"""A channel's id as somebody wrote it in small letters: Slack would look for a channel of that name."""
EXAMPLE = re.compile(r"[USWC]0?(?:123456789|987654321)\w*|[USWC]X{6,}")
"""An id that an example shows."""
READ_WITH = {
    IDS: ChatIds(
        person=PERSON,
        group=GROUP,
        person_like="a user's id (U…)",
        group_like="a user group's (S…)",
        person_found="in Slack: the profile, ⋮, Copy member ID",
    )
}
"""What desk.yaml is validated with, so that an id which names nobody is a fault of its key."""
