"""The `stats` block of Loki's query answers: its full shape, with the counts a stand-in can know."""

from typing import Any

_CHUNK = (
    "headChunkBytes",
    "headChunkLines",
    "decompressedBytes",
    "decompressedLines",
    "compressedBytes",
    "totalDuplicates",
)
_CACHES = ("chunk", "index", "result", "statsResult", "volumeResult")
_CACHE = (
    "entriesFound",
    "entriesRequested",
    "entriesStored",
    "bytesReceived",
    "bytesSent",
    "requests",
    "downloadTime",
)


def stats(kind: str, result: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the block for one answer of that result type."""
    lines = [line for item in result for _, line in item["values"]] if kind == "streams" else []
    return {
        "summary": {
            "bytesProcessedPerSecond": 0,
            "linesProcessedPerSecond": 0,
            "totalBytesProcessed": sum(len(line.encode()) for line in lines),
            "totalLinesProcessed": len(lines),
            "execTime": 0.001,
            "queueTime": 0,
            "subqueries": 0,
            "totalEntriesReturned": len(lines) or len(result),
            "splits": 0,
            "shards": 0,
        },
        "querier": {"store": _store()},
        "ingester": {
            "totalReached": 1,
            "totalChunksMatched": len(result),
            "totalBatches": 0,
            "totalLinesSent": len(lines),
            "store": _store(),
        },
        "cache": {name: dict.fromkeys(_CACHE, 0) for name in _CACHES},
    }


def _store() -> dict[str, Any]:
    return {
        "totalChunksRef": 0,
        "totalChunksDownloaded": 0,
        "chunksDownloadTime": 0,
        "chunk": dict.fromkeys(_CHUNK, 0),
    }
