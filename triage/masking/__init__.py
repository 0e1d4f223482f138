"""Secrets out of foreign text, before it is stored, shown, cut or compared.

A mask keeps what helps to see *which* secret it was (the name, a scheme, a prefix) and nothing of its value. Masking
twice changes nothing. The kinds are those that the rules of detect-secrets and gitleaks know, and what a trading desk
adds: headers of exchanges, recovery phrases, options of commands. The time is linear in the text.

Not caught: a password that no name, sign or address gives away ("the new one is hunter2"); hexadecimal keys of other
lengths than 64 and 128 digits without a name; recovery phrases in other languages than English or with words left
out; base64 in lower case alone, or shorter than 32 characters without a name; secrets that are encoded once more.
"""

from __future__ import annotations

from triage.masking.model import MASK
from triage.masking.scan import KINDS, masked, masked_and_cut, masked_where_cut

__all__ = ["KINDS", "MASK", "masked", "masked_and_cut", "masked_where_cut"]
