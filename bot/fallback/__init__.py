"""The fallback channels: how a grave incident gets out while Slack does not take it. One folder a channel.

A new channel is a folder here; nothing else names it. ``settings.py`` has ``SETTINGS`` (a pydantic model, light to import)
and ``ADDRESS`` (the setting that is empty where the channel is not used), ``channel.py`` has ``CHANNEL`` (a
``bot.fallback.declaration.FallbackDeclaration``). The service's settings, the wiring and the doctor are made from them.
"""
