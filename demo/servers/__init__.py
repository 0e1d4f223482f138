"""Stand-ins for the desk's servers (Loki, Prometheus, Alertmanager): loopback, answering as the real do."""
