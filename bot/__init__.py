"""The process: settings, wiring, and one adapter per outside system."""
