"""One adapter per source of evidence; each raises triage.errors.SourceError and nothing else."""
