"""What the desk says by itself: audit events, dead letters, container events, and when one is a signal."""
