"""The README's pictures show what is shown today."""

from tools.pictures import FOLDER, MADE_OF, made_of


def test_the_pictures_are_not_stale() -> None:
    """Blocks, page or charts changed since: ``python -m tools.pictures`` takes them anew, in two minutes."""
    assert (FOLDER / MADE_OF).read_text().strip() == made_of(), "python -m tools.pictures"


def test_each_picture_of_the_readme_is_there() -> None:
    """None is named that is not made."""
    readme = (FOLDER.parents[1] / "README.md").read_text()
    for name in ("channel", "thread", "modal", "digest"):
        assert f"docs/pictures/{name}.png" in readme
        assert (FOLDER / f"{name}.png").stat().st_size > 10_000
