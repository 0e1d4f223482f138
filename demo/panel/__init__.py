"""The side panel of the workspace page: scenarios, the pace of time, the desk at a glance, the truth at the end.

``state`` makes what it shows, ``routes`` serves it; the page's own part is in ``static``.
"""
