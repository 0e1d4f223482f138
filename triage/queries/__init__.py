"""Queries in PromQL and LogQL, built so that a hostile label value stays a value."""
