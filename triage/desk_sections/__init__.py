"""The sections of desk.yaml."""
