"""Tests of one group share what is made once for them: the image, the demo, a page."""

import os

import pytest


@pytest.mark.xdist_group("kept-together")
def test_a_group_is_one_unit_of_work(request: pytest.FixtureRequest) -> None:
    """pytest-xdist tells groups by the end of a test's id, and says nothing when it cannot write it there."""
    if "PYTEST_XDIST_WORKER" in os.environ and request.config.option.loadgroup:
        assert request.node.nodeid.endswith("@kept-together")
