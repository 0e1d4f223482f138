"""The parts of the service, wired: actions, commands, listeners. ``bot.app`` puts them together."""
