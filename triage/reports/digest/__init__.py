"""The KPI digest: what a period's figures, incidents and actions come to, and how it is said."""
