"""The actions of the catalogue: one file an action; a file that defines ``ACTION`` is found by the catalogue."""
