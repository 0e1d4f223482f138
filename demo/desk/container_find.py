"""``find``, and how ``stat`` and ``ls`` print a file: the subset that a check inside a container needs."""

import fnmatch
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import takewhile
from pathlib import Path

Place = Callable[[str], Path | None]
Test = Callable[[str, Path], bool]
Show = Callable[[str, Path], str]


def unescaped(template: str) -> str:
    """Return a format with its backslash escapes carried out."""
    for mark, meaning in (("\\n", "\n"), ("\\t", "\t"), ("\\0", "\0")):
        template = template.replace(mark, meaning)
    return template


def _when(target: Path) -> datetime:
    return datetime.fromtimestamp(target.stat().st_mtime, UTC)


def stat_format(template: str, path: str, target: Path) -> str:
    """Fill in a format of ``stat -c``."""
    known = target.stat()
    values = {
        "%n": path,
        "%Y": str(int(known.st_mtime)),
        "%y": f"{_when(target):%Y-%m-%d %H:%M:%S.%f000 +0000}",
        "%s": str(known.st_size),
        "%a": f"{known.st_mode & 0o777:o}",
        "%F": "directory" if target.is_dir() else "regular file",
    }
    for mark, value in values.items():
        template = template.replace(mark, value)
    return template


def long_line(shown: str, target: Path, style: str) -> str:
    """Return a line of ``ls -l`` with the time in that style."""
    formats = {"full-iso": "%Y-%m-%d %H:%M:%S.%f000 +0000", "long-iso": "%Y-%m-%d %H:%M"}
    seconds = str(int(target.stat().st_mtime))
    when = seconds if style == "+%s" else _when(target).strftime(formats.get(style, style.lstrip("+")))
    kind = "drwxr-xr-x" if target.is_dir() else "-rw-r--r--"
    return f"{kind} 1 hummingbot hummingbot {target.stat().st_size} {when} {shown}"


def _printf(template: str, path: str, target: Path) -> str:
    values = {
        "%p": path,
        "%f": target.name,
        "%T@": f"{target.stat().st_mtime:.10f}",
        "%s": str(target.stat().st_size),
        "%y": "d" if target.is_dir() else "f",
    }
    for mark, value in values.items():
        template = template.replace(mark, value)
    return unescaped(template)


def find(place: Place, arguments: Sequence[str]) -> tuple[str, str]:
    """Run ``find`` and return what goes to stdout and to stderr.

    It knows ``PATH… [-maxdepth N] [-type T] [-name P] [-path P] [-newer F] [-o …]`` and, to show a hit,
    ``[-printf F] [-exec stat -c F {} +]``.
    """
    words = list(arguments)
    paths = []
    while words and not words[0].startswith(("-", "(", "!")):
        paths.append(words.pop(0))
    depth, show, tests = _expression(place, words)
    out, errors = "", ""
    for path in paths:
        root = place(path)
        if root is None or not root.exists():
            errors += f"find: '{path}': No such file or directory\n"
            continue
        for shown, target in _walk(path, root, depth):
            if any(all(test(shown, target) for test in group) for group in tests):
                out += show(shown, target)
    return out, errors


def _walk(path: str, root: Path, depth: int) -> Iterator[tuple[str, Path]]:
    yield path, root
    for target in sorted(root.rglob("*")) if root.is_dir() else ():
        below = target.relative_to(root)
        if len(below.parts) <= depth:
            yield f"{path.rstrip('/')}/{below}", target


def _expression(place: Place, words: list[str]) -> tuple[int, Show, list[list[Test]]]:
    """Return the greatest depth, how a hit is shown, and the tests: any group of which all hold."""
    depth, show, groups = 99, partial(_printf, "%p\n"), list[list[Test]]([[]])
    rest = iter(words)
    for word in rest:
        if word in {"-o", "-or"}:
            groups.append([])
        elif word == "-maxdepth":
            depth = int(next(rest, "0"))
        elif word == "-printf":
            show = partial(_printf, next(rest, ""))
        elif word == "-exec":
            match list(takewhile(lambda each: each not in {"+", ";"}, rest)):
                case ["stat", "-c", template, "{}"]:
                    show = partial(stat_format, template + "\n")
        elif word in {"-type", "-name", "-path", "-newer"}:
            groups[-1].append(_test(place, word, next(rest, "")))
    return depth, show, groups


def _test(place: Place, word: str, value: str) -> Test:
    match word:
        case "-type":
            return lambda _, target: target.is_dir() if value == "d" else target.is_file()
        case "-name":
            return lambda _, target: fnmatch.fnmatchcase(target.name, value)
        case "-path":
            return lambda shown, _: fnmatch.fnmatchcase(shown, value)
        case _:
            known = place(value)
            than = known.stat().st_mtime if known is not None and known.exists() else 0.0
            return lambda _, target: target.stat().st_mtime > than
