"""A name and a value that stand apart: ``{"name": "API_SECRET", "value": "…"}``, as in lists of variables and in forms."""

from __future__ import annotations

import re

from triage.masking.keys import Claim, claim_of
from triage.masking.model import SecretKind, SecretMatch, Text
from triage.masking.named import Named, value_at

_ENTRY = re.compile(
    r"(?<![a-z0-9_])(?:name|key|k|field|type|param(?:eter)?|variable|var|setting|header|property|option|label)"
    r"\\{0,3}[\"']?[ \t]{0,3}[:=][ \t]{0,3}\\{0,3}[\"']?(?P<name>[a-z][\w.-]{2,80})\\{0,3}[\"']?"
    r"[ \t]{0,3}(?:,|\r?\n|\\n)?\s{0,40}\\{0,3}[\"']?(?:value|val|v|content|data)\\{0,3}[\"']?[ \t]{0,3}[:=][ \t]{0,3}"
)


def _entry(text: Text, match: re.Match[str]) -> SecretMatch:
    """Look at what the name claims."""
    name = text.whole[match.start("name") : match.end("name")]
    claim = claim_of(name)
    if claim in {Claim.NONE, Claim.LOOSE}:
        return SecretMatch(match.end())
    span = value_at(
        text.whole, Named(match.start("name"), match.end("name"), name, claim), match.end(), many=False
    )
    return SecretMatch(match.end() if span is None else span.end, () if span is None else (span,))


ENTRY = SecretKind(
    "value beside its name", ("val", '"v', "'v", "content", "data"), _ENTRY, _entry, folded=True
)
