"""What triage needs from outside, as small protocols in the domain's terms.

``sources``: who is asked for evidence. ``store``: the memory. ``actions``: the agent and looks at the desk's files.
``chat``: answers as data. ``fallback``: the fallback channels. ``clock``: the only place time comes from.
"""
