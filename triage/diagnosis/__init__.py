"""Checks ask the sources, causes explain what was found, the verdict ranks them: small pure functions, one file each."""
