"""What actions need: looks at the desk, the agent that touches it, and a memory of their own.

Everything here raises ``triage.errors.DeskFailure`` (the text says what and the mend) and nothing else,
unless its docstring says so.
"""

from __future__ import annotations

from dataclasses import dataclass

from triage.ports.actions.agent import Agent, NightlySnapshot, OnOutput, Performed, ShownPlan, Signed
from triage.ports.actions.desk import (
    ControllerFile,
    Controllers,
    Differences,
    DiskRoom,
    EnvFile,
    Image,
    Images,
    Project,
    ServiceImage,
    Snapshot,
    Snapshots,
    TakenDown,
)
from triage.ports.actions.repository import Actions

__all__ = [
    "Actions",
    "Agent",
    "ControllerFile",
    "Controllers",
    "DeskAccess",
    "Differences",
    "DiskRoom",
    "EnvFile",
    "Image",
    "Images",
    "NightlySnapshot",
    "OnOutput",
    "Performed",
    "Project",
    "ServiceImage",
    "ShownPlan",
    "Signed",
    "Snapshot",
    "Snapshots",
    "TakenDown",
]


@dataclass(frozen=True, slots=True)
class DeskAccess:
    """Everything an action looks at the desk's files with, and the agent, who alone changes anything."""

    snapshots: Snapshots
    env: EnvFile
    controllers: Controllers
    images: Images
    project: Project
    agent: Agent
