"""An incident written out in the desk's template, from what was stored while it lived."""

from triage.postmortem.gather import Postmortem, gather
from triage.postmortem.markdown import as_markdown

__all__ = ["Postmortem", "as_markdown", "gather"]
