"""A file that may be written is written, also where none can be put in its place."""

import errno
import tempfile
from pathlib import Path

import pytest

from bot.whole_files import write_whole


@pytest.mark.parametrize(
    ("holder", "name", "number"),
    [(tempfile, "mkstemp", errno.EACCES), (Path, "replace", errno.EBUSY), (Path, "replace", errno.EPERM)],
    ids=["a folder of somebody else's", "mounted by itself", "a folder with the sticky bit"],
)
def test_what_cannot_be_replaced_is_written_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, holder: object, name: str, number: int
) -> None:
    """One that is not there yet cannot be made either, and that is said."""

    def refused(*_: object, **__: object) -> None:
        raise OSError(number, "refused")

    monkeypatch.setattr(holder, name, refused)
    known, fresh = tmp_path / "known.md", tmp_path / "new.md"
    known.write_text("before", encoding="utf-8")
    write_whole(known, b"after")
    assert known.read_bytes() == b"after"
    with pytest.raises(OSError, match="refused"):
        write_whole(fresh, b"after")
    assert list(tmp_path.iterdir()) == [known]
