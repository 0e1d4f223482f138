"""Addresses in the settings: what cannot be read is refused, and no piece of a password is told."""

import pytest

from bot.sources.http import base_url
from bot.sources.redis.url import check_redis_url
from triage.errors import SettingError


@pytest.mark.parametrize(
    "url",
    [
        "http://desk:orchid77/rest@prometheus:9090",
        "http://desk:4477/orchid77@prometheus:9090",  # else the host would be "desk", and the rest a path
        "http://desk:orchid77#rest@prometheus:9090",
        "http://desk:orchid77?rest@prometheus:9090",
        "https://desk:44#orchid77@prometheus",
        "http://desk:orchid77@:9090",
        "ftp://desk:orchid77@prometheus",
    ],
)
def test_a_password_that_ends_the_address_is_refused_and_not_told(url: str) -> None:
    """The error names the setting and the mend; nothing of the address stands in it or behind it."""
    with pytest.raises(SettingError, match=r"PROMETHEUS_URL.*http://host:port") as failure:
        base_url("Prometheus", "PROMETHEUS_URL", url)
    told = f"{failure.value} {failure.value.__cause__!r}"
    assert not any(word in told for word in ("orchid77", "4477", "rest@", "desk:"))


def test_a_password_that_is_encoded_is_taken() -> None:
    """So is an @ in it that is not."""
    assert (
        base_url("Prometheus", "PROMETHEUS_URL", "http://desk:a%2Fb%23@prometheus:9090").host == "prometheus"
    )
    assert base_url("Prometheus", "PROMETHEUS_URL", "http://desk:a@b@prometheus:9090").host == "prometheus"


def test_an_odd_word_in_a_sentinels_address_is_not_told() -> None:
    """Behind an "&" it may be the rest of a password."""
    with pytest.raises(SettingError, match="REDIS_URL") as failure:
        check_redis_url("redis+sentinel://host:26379/master?sentinel_password=a&orchid77=b")
    assert "orchid77" not in str(failure.value)
