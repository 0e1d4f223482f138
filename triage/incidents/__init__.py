"""Incidents: signals are taken in, correlated, kept through their lifecycle, and told."""
