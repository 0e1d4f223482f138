"""What triage needs from outside, as small protocols that speak the domain's words.

``sources``: who is asked for evidence. ``store``: the memory. ``clock``: the only place time comes from.
"""
