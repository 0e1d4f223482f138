"""Compiles what a run imports once, before its workers start.

Each of them, and each process that a test starts, would otherwise compile the same thousand modules for itself.
Python writes the compiled form beside the source, in ``__pycache__``; pytest writes that of a test file, whose asserts
it rewrites, next to it. Both are used for as long as the source stays what it was.
"""

import importlib
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path


def keep_compiled() -> None:
    """Let Python keep what it compiles, in this process and in those it starts, though the environment forbids it."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False


def compile_first(root: Path, folders: Iterable[Path]) -> None:
    """Import the test files that changed since they were compiled, in as many processes as there are processors."""
    changed = list(_changed(folders))
    processes = min(os.cpu_count() or 1, len(changed))
    children = [_importing(root, changed[turn::processes]) for turn in range(processes)]
    for child in children:
        os.waitpid(child, 0)


def _changed(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        for file in sorted(folder.rglob("test_*.py")):
            compiled = (file.parent / "__pycache__").glob(f"{file.stem}.*pytest*.pyc")
            if not any(one.stat().st_mtime >= file.stat().st_mtime for one in compiled):
                yield file


def _importing(root: Path, files: Sequence[Path]) -> int:
    """Return the id of a process that imports them and ends; what is wrong with a file is told where it is collected."""
    pid = os.fork()
    if pid:
        return pid
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    for file in files:
        with suppress(BaseException):
            importlib.import_module(".".join(file.relative_to(root).with_suffix("").parts))
    os._exit(0)
