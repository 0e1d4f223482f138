"""The KPIs of the runbook's checklist: one file a KPI, called by its name; nothing else names it."""
