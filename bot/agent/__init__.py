"""How the desk is touched: orders, judged and carried out, in this process or in ``hbot-triage agent`` behind a socket.

::

    triage.actions ──orders──▶ Agent (core) ──asks──▶ judge      may this be done, by what the agent knows itself
                                  │        ──writes─▶ record     who confirmed, what was done, how it ended
                                  └────────────────▶ executor   compose, files, containers, from the agent's own desk.yaml
    bot ──socket──▶ server ──▶ the same Agent, where TRIAGE_AGENT names one
"""
