"""The KPI digest's arithmetic: rows in, report out. ``docs/kpis.md`` has the definitions in words."""
