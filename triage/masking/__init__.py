"""Secrets out of untrusted text, before it is stored, shown, cut or compared.

A mask keeps what helps to see *which* secret it was (the name, a scheme, a prefix) and nothing of its value. Masking
twice changes nothing. The kinds are those that the rules of detect-secrets and gitleaks know, and what a trading desk
adds: headers of exchanges, recovery phrases, options of commands, logins and answers that people write down, passwords
named in other languages. The time is linear in the text. What is not caught is listed in ``docs/security.md``.
"""

from __future__ import annotations

from triage.masking.model import MASK
from triage.masking.scan import KINDS, free_of_secrets, masked, masked_and_cut, masked_where_cut

__all__ = ["KINDS", "MASK", "free_of_secrets", "masked", "masked_and_cut", "masked_where_cut"]
