"""One question to one source per file; the answer is a Finding."""
