"""YAML texts of the simulated desk: each desk that is made begins with the same ones, so each is read once."""

from functools import lru_cache

from ruamel.yaml import YAML


@lru_cache(maxsize=32)
def read_yaml(text: str) -> object:
    """Return what a text says; it is shared, so nobody may change it. What is no YAML is an error of the parser's."""
    return YAML(typ="safe").load(text)
