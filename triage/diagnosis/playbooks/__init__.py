"""Which checks and actions for which signals: the shipped table, and the desk's own overrides."""

from triage.diagnosis.playbooks.lookup import playbook_for, validate_playbooks
from triage.diagnosis.playbooks.model import Playbook

__all__ = ["Playbook", "playbook_for", "validate_playbooks"]
