"""The actions of the catalogue: one file an action, named for its kind.

A file of this folder is an action of the desk: it defines ``ACTION``, and the catalogue, the menus, the buttons, the keys
of desk.yaml, the help and the docs' table are made from it. A file whose name begins with ``_`` is an action's helper.
"""
