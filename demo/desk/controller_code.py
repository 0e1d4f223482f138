"""The controller files mounted into a bot and the bytecode beside them: what a bot's process really loads.

As with Python's unchecked bytecode, a ``.pyc`` that is there is taken, whatever the age of its source: that
is how a deploy can leave a bot running yesterday's code until somebody removes the ``__pycache__`` folder.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

FILE_NAME = "epp_v2_4.py"
BYTECODE_NAME = "epp_v2_4.cpython-312.pyc"
MAGIC = b"\xcb\r\r\n\x01\x00\x00\x00"
OLD_VERSION, NEW_VERSION = "2.4.0", "2.4.1"
NEW_SETTING = "inventory_skew_cap"
BASE_SETTINGS = (
    "id",
    "controller_name",
    "controller_type",
    "connector_name",
    "trading_pair",
    "variant",
    "internal_paper_enabled",
    "paper_order_queue_limit",
    "order_refresh_time",
    "target_base_pct",
    "min_base_pct",
    "max_base_pct",
    "max_daily_loss_pct",
    "max_drawdown_pct",
    "max_daily_turnover_x",
    "cancel_budget_per_min",
    "require_fee_resolution",
)
ACCEPTED = {OLD_VERSION: frozenset(BASE_SETTINGS), NEW_VERSION: frozenset((*BASE_SETTINGS, NEW_SETTING))}

_SOURCE = '''\
"""Edge Plus Protection: the controller mounted into the bots."""

CODE_VERSION = "{version}"
ACCEPTS = ({accepts})


class EppV24Controller:
    """Quotes both sides of the book and pauses where its guards say so."""

    def __init__(self, **config):
        for key in config:
            if key not in ACCEPTS:
                raise TypeError(f"EppV24Controller.__init__() got an unexpected keyword argument {{key!r}}")
        self.config = config
'''
_VERSION = re.compile(rb'CODE_VERSION = "([0-9.]+)"')


@dataclass(frozen=True, slots=True)
class Loaded:
    """The code a process holds: its version and the settings it knows."""

    version: str

    @property
    def accepts(self) -> frozenset[str]:
        """Return the controller settings this version takes."""
        return ACCEPTED.get(self.version, ACCEPTED[OLD_VERSION])


def write_source(folder: Path, version: str, at: float) -> None:
    """Put a version's source files into a bot's controllers folder, modified at ``at`` (Unix seconds)."""
    text = _SOURCE.format(
        version=version, accepts=", ".join(f'"{name}"' for name in sorted(ACCEPTED[version]))
    )
    for target in (folder, folder / "market_making"):
        target.mkdir(parents=True, exist_ok=True)
        path = target / FILE_NAME
        path.write_text(text)
        os.utime(path, (at, at))


def load(folder: Path, now: float) -> Loaded:
    """Load the code as a starting process does: from the bytecode, else from the source, writing bytecode.

    Raises FileNotFoundError when there is neither.
    """
    for target in (folder, folder / "market_making"):
        bytecode = target / "__pycache__" / BYTECODE_NAME
        if not bytecode.exists():
            bytecode.parent.mkdir(exist_ok=True)
            bytecode.write_bytes(MAGIC + (target / FILE_NAME).read_bytes())
            os.utime(bytecode, (now, now))
    found = _VERSION.search((folder / "market_making" / "__pycache__" / BYTECODE_NAME).read_bytes())
    return Loaded(found.group(1).decode() if found else OLD_VERSION)
