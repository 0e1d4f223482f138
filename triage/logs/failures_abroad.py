# ruff: noqa: RUF001 - letters of other languages
"""Words of a failure in other languages than English; those of levels are in ``level_words``. Pure."""

from __future__ import annotations

import re

_FAILURES = re.compile(
    # Chinese, Japanese, Korean: no spaces part the words.
    r"失[败敗]|被拒|拒[绝絕否]|断开|斷開|断线|超[时時]|异常|異常|[无無]法|崩溃|不足|错误|錯誤|报错|切断|切れました|できません|できなかった|例外"
    r"|タイムアウト|エラー|실패|거부|끊[겼김어]|오류|예외|시간 ?초과|찾을 수 없"
    r"|(?<!\w)(?:не удалось|не вдалося|не найден|невозможно|ошибк[аиу]|сбой|отказ(?:ано|ался)?|отклон[её]н\w*"
    r"|разорван\w*|потерян\w*"
    r"|превышен\w*|таймаут|помилка|відхилено)(?!\w)"
    r"|(?<![\w-])(?:falha|falhou|fall[oó]|falhado|no se (?:pudo|puede)|não foi possível|rechazad[oa]|rejeitad[oa]"
    r"|recusad[oa]|échec|échoué"
    r"|impossible (?:de|d')|rejetée?|refusée?|perdue?|fallit[oa]|impossibile|rifiutat[oa]|fehlgeschlagen"
    r"|gescheitert|abgelehnt|abgebrochen"
    r"|verloren|nicht (?:möglich|gefunden|erreichbar|verfügbar)|Zeitüberschreitung|mislukt|geweigerd|nie udało się"
    r"|odrzucon[oey]|utracono"
    r"|niepowodzenie|başarısız|reddedildi)(?![\w-])",
    re.IGNORECASE,
)
_NONE = re.compile(
    r"(?<!\w)(?:keine?n?|ohne|sin|sem|sans|aucune?|senza|nessun[oa]?|brak|bez|geen|zonder|без|нет) \w{3,20}"
    r"|(?:没有|沒有|[无無](?!法))(?:任何)?\S{0,4}|\S{2,6}(?:なし|はありません)|\S{2,4}[가이]? ?없"
    r"|\w{2,20} ?[:=：] ?0(?![\d.])|(?<![\d.])0 ?[个個次件回건]?\s?\w{2,20}",
    re.IGNORECASE,
)


def fails_abroad(text: str) -> bool:
    """Tell whether a line says in another language than English that something failed; counts of none are no failures."""
    return _FAILURES.search(text) is not None and _FAILURES.search(_NONE.sub(" ", text)) is not None
