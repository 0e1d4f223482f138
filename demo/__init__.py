"""The demo: a trading desk and a Slack workspace on your own machine."""
