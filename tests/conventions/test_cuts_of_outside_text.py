"""No module that reads from outside cuts a text before it is masked: of a secret that is cut in two, no half is known.

The cuts are found in the source: slices by a constant, a limit or a name in capitals, formats such as ``{text:.80}``,
``%.80s`` and ``textwrap``. What is cut all the same stands in a list with the reason.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

_READERS = (
    "bot/sources",
    "bot/desk",
    "bot/agent",
    "bot/watched_files.py",
    "bot/careful_yaml.py",
    "bot/connections.py",
    "bot/limited_protocol.py",
    "bot/store/database_errors.py",
    "handlers",
    "triage/signals",
    "triage/incidents",
    "triage/logs",
    "triage/kpis",
    "triage/diagnosis",
    "triage/severities.py",
    "triage/env_text.py",
    "triage/untrusted_text.py",
)
_ROOT = Path(__file__).parents[2]
_LEAST = 20
"""Shorter constants take a prefix, a sign or a time; half a secret of that length says little."""

_LIMITS = re.compile(r"_?[A-Z][A-Z0-9_]*|limit|most|length|width|room|maximum|max_\w+")
_MASKS = frozenset({"masked", "masked_and_cut", "masked_where_cut", "shown", "first_line"})
_NO_TEXT = frozenset(
    {"list", "tuple", "sorted", "splitlines", "split", "hexdigest", "items", "values", "recent"}
)
_TEXT_FORMAT = re.compile(r"(?:.?[<>^])?\d*\.\d+s?")
_PERCENT = re.compile(r"%-?\d*\.\d+s")

_ALLOWED: dict[str, tuple[str, ...]] = {
    "a list, no text": (
        "bot/desk/controllers.py: below[:_MOST_FOLDERS]",
        "bot/desk/differences.py: gone[:NAMES]",
        "bot/desk/differences.py: lines[:FILE_LINES]",
        "bot/sources/grafana/client.py: listed[:MOST]",
        "handlers/slack/silence_form.py: lines[:MATCHERS_SHOWN]",
        "handlers/slack/silence_form.py: others[:MATCHERS_SHOWN]",
        "triage/diagnosis/bot_errors.py: errors.classes[:_KEPT]",
        "triage/diagnosis/bot_errors.py: errors.found[:_KEPT]",
        "triage/diagnosis/bot_errors.py: errors.others[:_KEPT]",
        "triage/diagnosis/case.py: self.because[:BECAUSE_MAX]",
        "triage/diagnosis/case.py: self.contra[:BECAUSE_MAX]",
        "triage/diagnosis/checks/audit_trail.py: events[-_KEPT:]",
        "triage/diagnosis/checks/audit_trail.py: ranked[:_SHOWN]",
        "triage/diagnosis/checks/bytecode.py: ctx.bots[:_BOTS_MAX]",
        "triage/diagnosis/checks/edits.py: ctx.bots[:_BOTS_MAX]",
        "triage/diagnosis/checks/changes.py: order[:50]",
        "triage/diagnosis/checks/error_log_words.py: ranked[:limit]",
        "triage/diagnosis/checks/error_logs.py: ctx.bots[:_BOTS_MAX]",
        "triage/diagnosis/checks/error_logs.py: hidden[:_OWN_BOTS]",
        "triage/diagnosis/checks/error_logs_of_containers.py: ctx.bots[:BOTS_MAX]",
        "triage/incidents/traits.py: fresh[:TEMPLATES]",
        "triage/signals/trading.py: said[:most]",
    ),
    "bytes of a format, or of a time": (
        "bot/sources/docker/frames.py: buffer[4:_HEADER]",
        "bot/sources/docker/frames.py: buffer[:_HEADER]",
        "bot/sources/docker/frames.py: piece[:room]",
        "bot/sources/minute_csv/layouts.py: _FILL_17[:length]",
        "bot/sources/minute_csv/lines.py: carry[-MAX_LINE:]",
        "bot/sources/minute_csv/seek.py: line.lstrip(b'\\x00')[:40]",
    ),
    "masked before, where it was read": (
        "bot/agent/engine_http.py: line[:300]",
        "bot/desk/differences.py: line[:LINE_MAX]",
        "bot/sources/http.py: line[:_WHY_MAX]",
        "triage/diagnosis/bot_errors.py: template.example[:_EXAMPLE]",
        "triage/diagnosis/bot_errors.py: template.exception[:_EXAMPLE]",
        "triage/diagnosis/causes/log_errors_other.py: str(fresh[0]['text'])[:100]",
        "triage/diagnosis/causes/log_errors_other.py: str(fresh[0]['text'])[:120]",
        "triage/diagnosis/checks/audit_trail.py: event.text[:160]",
        "triage/diagnosis/logged_lines.py: str(loudest.get('example', ''))[:140]",
        "triage/incidents/timeline.py: text[:TEXT_MAX]",
        "triage/incidents/traits.py: name[:200]",
        "triage/logs/templates.py: template.text[:limit - 1]",
        "triage/signals/audit.py: text[:TEXT_MAX]",
        "triage/signals/audit.py: value[:300]",
    ),
    "masked in the next step, with the last word of what was cut left out": (
        "bot/desk/commands.py: self._tail[-TAIL:]",
        "bot/desk/commands.py: text[:room]",
        "triage/signals/audit.py: str(value)[:READ_MAX]",
        "triage/untrusted_text.py: text[:_READ_AT_MOST + 1]",
    ),
    "part of a key or a name that is compared and not shown": (
        "bot/agent/core.py: bot[:63]",
        "bot/watched_files.py: name[:100]",
        "triage/incidents/alerts.py: starts_at[:40]",
        "triage/logs/lines.py: line.text[:_MESSAGE_MAX]",
    ),
    "what our own child wrote last, which is masked where they are told": (
        "bot/sources/minute_csv/child_process.py: (self._stderr_tail + part)[-_STDERR_MAX:]",
    ),
    "typed by a person, shown to nobody else": (
        "handlers/slack/click.py: _text(value)[:MOST_VALUE]",
        "handlers/slack/command_line.py: text[:MOST]",
        "handlers/slack/command_line.py: words[0][:40]",
        "handlers/slack/commands/checklist.py: name[:40]",
        "handlers/slack/commands/do.py: kind[:40]",
    ),
    "a reason that was masked where it was read from the form": (
        "bot/agent/remote_desk.py: shown.reason[:500]",
        "bot/agent/slack_proof.py: shown.reason.strip()[:500]",
    ),
}


def _name(node: ast.expr | None) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _is_limit(node: ast.expr | None) -> bool:
    if isinstance(node, ast.BinOp):
        return _is_limit(node.left) or _is_limit(node.right)
    if isinstance(node, ast.Constant):
        return isinstance(node.value, int) and node.value >= _LEAST
    return _LIMITS.fullmatch(_name(node)) is not None


def _cuts(part: ast.Slice) -> bool:
    lower, upper = part.lower, part.upper
    if lower is not None and not isinstance(lower, ast.Constant | ast.UnaryOp):
        return False  # a window that moves
    from_end = isinstance(lower, ast.UnaryOp) and _is_limit(lower.operand)
    return part.step is None and (_is_limit(upper) or from_end)


def _is_safe(value: ast.expr) -> bool:
    """Tell whether what is cut is masked, or no text."""
    if isinstance(value, ast.Await):
        return _is_safe(value.value)
    if isinstance(value, ast.Call):
        return _name(value.func) in _MASKS | _NO_TEXT
    return isinstance(value, ast.List | ast.Tuple | ast.ListComp)


def _found(tree: ast.AST) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
            if _cuts(node.slice) and not _is_safe(node.value):
                yield node
        elif isinstance(node, ast.FormattedValue) and isinstance(node.format_spec, ast.JoinedStr):
            spec = "".join(
                str(part.value) for part in node.format_spec.values if isinstance(part, ast.Constant)
            )
            if _TEXT_FORMAT.fullmatch(spec) and not _is_safe(node.value):
                yield node.value
        elif (
            isinstance(node, ast.Constant) and isinstance(node.value, str) and _PERCENT.search(node.value)
        ) or (isinstance(node, ast.Call) and _name(node.func) in {"shorten", "wrap", "fill"}):
            yield node


def _cuts_in(source: str) -> list[str]:
    return [ast.unparse(node) for node in _found(ast.parse(source))]


def _modules() -> Iterator[Path]:
    for reader in _READERS:
        path = _ROOT / reader
        yield from sorted(path.rglob("*.py")) if path.is_dir() else [path]


@pytest.mark.parametrize(
    "source",
    [
        "kept = text[:200]",
        "kept = text[1:TEXT_MAX]",
        "kept = line.message[-_TAIL:]",
        "kept = text[: limit - 1]",
        "kept = f'{text:.80}'",
        "kept = f'{text:<10.80s}'",
        "kept = '%.80s' % text",
        "kept = textwrap.shorten(text, 80)",
    ],
)
def test_a_new_cut_is_found(source: str) -> None:
    """In each way that Python has."""
    assert _cuts_in(source)


@pytest.mark.parametrize(
    "source",
    [
        "kept = masked(text)[:200]",
        "kept = masked_where_cut(text, 200)",
        "kept = digest.hexdigest()[:24]",
        "kept = text[:4]",
        "kept = text[start:end]",
        "kept = f'{seconds:.1f} s'",
        "kept = sorted(names)[:NAMES]",
    ],
)
def test_what_is_masked_or_no_text_is_not_a_cut(source: str) -> None:
    """Else the list above would be longer than anybody reads."""
    assert not _cuts_in(source)


def test_a_reader_cuts_nothing_that_was_not_masked() -> None:
    """Use ``masked_where_cut`` or ``masked_and_cut``; what needs neither is added above, under its reason."""
    allowed = {cut for cuts in _ALLOWED.values() for cut in cuts}
    found = {
        f"{path.relative_to(_ROOT)}: {cut}"
        for path in _modules()
        for cut in _cuts_in(path.read_text("utf-8"))
    }
    assert not sorted(found - allowed)
    assert not sorted(allowed - found), "no longer there: take it off the list"
