"""The words, abbreviations and letters by which programs name a level, and the level they stand for.

Also in the languages in which servers are set up; compared without their case.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_OF_LEVEL = {
    "TRACE": "trace trc trce trac verbose vrb fine finer finest silly",
    "DEBUG": "debug dbg dbug debg debu отладка 调试",
    "INFO": "info inf information informational notice success log note config инфо информация 信息 情報 정보",
    "WARNING": "warning warn wrn warnung avertissement advertencia aviso avviso предупреждение 警告 경고",
    "ERROR": "error err eror erro fail severe fehler erreur errore ошибка 错误 錯誤 エラー 오류 hata błąd "
    "fout fel fejl feil chyba помилка virhe eroare hiba σφάλμα خطأ שגיאה lỗi त्रुटि galat",
    "CRITICAL": "critical crit alert emerg emergency panic dpanic pani kritisch критично критическая 严重",
    "FATAL": "fatal ftl fata schwerwiegend",
}
LEVEL_OF: Mapping[str, str] = {word: level for level, words in _OF_LEVEL.items() for word in words.split()}
"""A word of a level, in lower case, and the level."""
LETTERS: Mapping[str, str] = {
    "V": "TRACE", "T": "TRACE", "D": "DEBUG", "I": "INFO", "N": "INFO", "W": "WARNING", "E": "ERROR", "C": "CRITICAL",
    "F": "FATAL",
}  # fmt: skip
"""Where a single letter names the level."""
SYSLOG_LEVELS = ("CRITICAL", "CRITICAL", "CRITICAL", "ERROR", "WARNING", "NOTICE", "INFO", "DEBUG")
"""Syslog's numbers, from 0."""
PYTHON_LEVELS: Mapping[int, str] = {
    5: "TRACE",
    10: "DEBUG",
    20: "INFO",
    30: "WARNING",
    40: "ERROR",
    50: "CRITICAL",
}
"""Python's numbers: each level from its own number on."""
LOOSE_WORDS = ("error", "err", "critical", "fatal", "warn", "warning", "info", "debug")
"""Words that name a level wherever they stand alone; ``log`` or ``alert`` may be the kind of something."""
ANY_WORD = "|".join(sorted(LEVEL_OF, key=len, reverse=True))
"""An expression for any of the words; match it without case."""


_AROUND = re.compile(r"\W*(?P<word>[^\W_]+)(?:\W.*)?")
"""What is set around a level: ``[error]``, a step of slog's (``ERROR+2``), a thread (``ERROR/Worker-1``)."""


def level_of(word: str) -> str:
    """Return the level that a word names; empty where it names none."""
    known = LEVEL_OF.get(word.lower())
    if known is None:
        bare = _AROUND.fullmatch(word)
        known = LEVEL_OF.get(bare["word"].lower(), "") if bare is not None else ""
    return known


def level_of_number(number: int) -> str:
    """Return the level of a number from an unknown program: below 8 it is read as syslog's, else as Python's."""
    if number < len(SYSLOG_LEVELS):
        return SYSLOG_LEVELS[number]
    return next(PYTHON_LEVELS[each] for each in sorted(PYTHON_LEVELS, reverse=True) if number >= each)
