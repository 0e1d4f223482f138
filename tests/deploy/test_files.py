import re
import tomllib
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
SCOPES = {
    *("chat:write", "commands", "files:write", "app_mentions:read"),
    *("channels:history", "groups:history", "im:history", "users:read", "usergroups:read"),
}


def load(name: str) -> dict[str, Any]:
    """Read a YAML file of deploy/."""
    found: dict[str, Any] = YAML(typ="safe").load((ROOT / "deploy" / name).read_text())
    return found


def test_the_slack_manifest_asks_for_what_the_bot_uses() -> None:
    """Socket Mode, the command, buttons, Home, and exactly the scopes the bot needs."""
    manifest = load("slack-manifest.yaml")
    assert set(manifest["oauth_config"]["scopes"]["bot"]) == SCOPES
    settings = manifest["settings"]
    assert settings["socket_mode_enabled"]
    assert settings["interactivity"]["is_enabled"]
    assert set(settings["event_subscriptions"]["bot_events"]) == {"app_mention", "app_home_opened"}
    features = manifest["features"]
    assert [command["command"] for command in features["slash_commands"]] == ["/triage"]
    assert features["app_home"]["home_tab_enabled"]
    # Slack refuses a manifest with longer texts.
    assert len(manifest["display_information"]["description"]) <= 140
    assert 174 <= len(manifest["display_information"]["long_description"]) <= 4000


def test_only_the_agent_sees_the_docker_socket_and_may_write_to_the_desk() -> None:
    """The service has the bots' data read-only and a network; the agent the rest, and none."""
    services = load("docker-compose.yml")["services"]
    with_socket = {name for name, service in services.items() if "docker.sock" in str(service["volumes"])}
    assert with_socket == {"agent"}
    bot, agent = services["hbot-triage"], services["agent"]
    assert bot["environment"]["DOCKER_HOST"] == ""
    assert bot["environment"]["TRIAGE_AGENT"] == agent["environment"]["TRIAGE_AGENT"]
    of_the_desk = [volume for volume in bot["volumes"] if "DESK_ROOT" in volume]
    assert [volume.rpartition(":")[2] for volume in of_the_desk] == ["ro"]
    assert "/data:" in of_the_desk[0]
    assert all(volume.endswith(":ro") for volume in bot["volumes"] if not volume.startswith("var:"))
    assert agent["network_mode"] == "none"
    assert "env_file" not in agent
    assert agent["environment"]["TRIAGE_AGENT_UID"] in bot["user"]
    assert bot["user"] != agent["user"]
    for service in services.values():
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]


def test_the_image_holds_the_package_and_its_version() -> None:
    """The Dockerfile copies each package but the demo; the compose file's tag is the project's version."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    dockerfile = (ROOT / "Dockerfile").read_text()
    copied = set(re.findall(r"^COPY (\w+) \1$", dockerfile, re.MULTILINE))
    assert copied == set(project["tool"]["importlinter"]["root_packages"]) - {"demo"}
    image = load("docker-compose.yml")["services"]["hbot-triage"]["image"]
    assert image == f"hbot-triage:{project['project']['version']}"
    assert "--require-hashes" in dockerfile


def test_the_locks_name_no_index_and_no_machine() -> None:
    """Every requirement is pinned with hashes and can come from any mirror."""
    for name in ("run", "demo", "dev", "audit"):
        text = (ROOT / "requirements" / f"{name}.txt").read_text()
        pinned = re.findall(r"^[a-z0-9][\w.\[\],-]*==\S+.*$", text, re.MULTILINE)
        assert len(pinned) > 20
        assert all(line.endswith("\\") for line in pinned)
        assert "://" not in text
        assert "--index" not in text
        assert not re.search(r"^\s*#.*\s/", text, re.MULTILINE)
