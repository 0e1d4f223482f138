"""What a selector found before is found anew once series came or went."""

from demo.servers.tsdb import LabelMatcher, Tsdb, labels_of


def test_a_selector_finds_what_came_since_and_loses_what_is_forgotten() -> None:
    """Asked three times with the same words."""
    tsdb, wanted = Tsdb(), (LabelMatcher("__name__", "=", "up"), LabelMatcher("job", "=~", "bot.*"))

    def found() -> list[str]:
        return [dict(series.labels)["job"] for series in tsdb.select(wanted)]

    tsdb.append(labels_of({"__name__": "up", "job": "bots"}), 1_000, 1.0)
    tsdb.append(labels_of({"__name__": "up", "job": "node"}), 1_000, 1.0)
    assert found() == ["bots"]
    tsdb.append(labels_of({"__name__": "up", "job": "bots-too"}), 9_000, 1.0)
    assert found() == ["bots", "bots-too"]
    tsdb.forget_before(5_000)
    assert found() == ["bots-too"]
    before = tsdb.select(wanted)
    tsdb.forget_before(5_000)
    assert tsdb.select(wanted) is before, "nothing went: nothing is looked for anew"
