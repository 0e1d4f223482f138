"""Block Kit's rules: which blocks and elements exist, where they may stand, and how long anything may be.

Source: docs.slack.dev/reference/block-kit, and the measured limit of the blocks of one message.
"""

from demo.slack.blockkit.surfaces import check_message, check_view, fill_ids, walk

__all__ = ["check_message", "check_view", "fill_ids", "walk"]
