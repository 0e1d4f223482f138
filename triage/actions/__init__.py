"""Actions: their catalogue (``kinds/``: one file an action), proposals, confirmation, the runner, verification."""
