"""An incident written out in the desk's template, from what was stored while it lived."""

from triage.reports.postmortem.gather import Postmortem, gather
from triage.reports.postmortem.markdown import as_markdown

__all__ = ["Postmortem", "as_markdown", "gather"]
