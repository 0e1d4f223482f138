"""An incident written out in the desk's template, from what was stored while it was open."""
