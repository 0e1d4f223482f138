"""What triage needs from outside, as small protocols in the domain's terms.

``sources``: who is asked for evidence. ``store``: the memory. ``clock``: the only place time comes from.
"""
