"""What we decide; no I/O library is imported below this folder."""
