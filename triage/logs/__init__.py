"""What the bots' logs say: lines, tracebacks, classes of errors, templates. Pure, and of no opinion."""
