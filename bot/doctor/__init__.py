"""``hbot-triage doctor``: asks each dependency, and says how to mend what is wrong."""

from bot.doctor.answer import Answer, printed
from bot.doctor.examine import examine
from bot.doctor.slack import SCOPES

__all__ = ["SCOPES", "Answer", "examine", "printed"]
