"""The files that init writes, as text: desk.yaml, .env, Alertmanager's receiver, the compose file. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.init.observed_desk import Value
from bot.init.plan import BotPlan, DeskPlan

SCHEMA_FILE = "desk.schema.json"
DESK_FILE, ENV_FILE = "desk.yaml", ".env"
ALERTMANAGER_FILE, COMPOSE_FILE = "alertmanager.hbot-triage.yml", "docker-compose.hbot-triage.yml"
WIDTH = 46
SECRETS = ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "TRIAGE_WEBHOOK_TOKEN", "TRIAGE_AUDIT_KEY", "REDIS_URL")

_ROUTE = """\
route:
  receiver: hbot-triage
  group_by: [alertname, severity]
  group_wait: 30s
  group_interval: 5m
  repeat_interval: 4h
"""
_FURTHER_ROUTE = """\
route:
  routes:
    - receiver: hbot-triage
      continue: true                # the desk's own receivers get every alert as before
      group_by: [alertname, severity]
      group_wait: 30s
      group_interval: 5m
      repeat_interval: 4h
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """What init cannot see and a person says; empty: to be filled in later."""

    bot_token: str = ""
    app_token: str = ""
    channel: str = ""
    operators: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Host:
    """Whose the desk's folder is on this host, and the group of the engine's socket."""

    desk_root: str
    uid: int
    gid: int
    docker_gid: int


def desk_yaml(made: DeskPlan, asked: Asked) -> str:
    """Return desk.yaml: only what this desk has, each line with where it was seen; ``guess`` marks what was not."""
    compose = [
        ("project", made.project),
        ("files", Value(made.compose_files, "found, in their order"))
        if made.compose_files
        else ("file", Value(made.compose_file, "found")),
        *((("command", made.command),) if made.command is not None else ()),
        ("container_template", made.container_template),
        ("profiles", made.profiles),
        ("external_profile", made.external_profile),
        ("external_services", made.external_services),
        *((("redis_service", made.redis_service),) if made.redis_service is not None else ()),
        ("monitoring_services", made.monitoring_services),
    ]
    lines = [
        f"# yaml-language-server: $schema={SCHEMA_FILE}",
        "# Written by hbot-triage init. A key that is not here has its default (deploy/desk.example.yaml has all).",
        '# "guess" marks what was not seen: look at these.',
        "",
        _line("name", made.name),
        "",
        "bots:" if made.bots else _commented("bots: []", "guess: none was recognised; name them"),
        *(_bot(bot) for bot in made.bots),
        "",
        "roles:",
        _commented(
            "  operator:", "who may acknowledge, silence, resolve and run actions: ids of users, of groups"
        ),
        f"    users: {_inline(asked.operators)}",
        "    groups: []",
        "",
        _commented("paths:", "as on the host: the containers see them there too"),
        *(
            _commented(f"  {name}: {json.dumps(path.value)}", _source(path))
            for name, path in made.paths.items()
        ),
        "",
        "compose:",
        *(_line(name, value, "  ") for name, value in compose),
    ]
    if made.expected_rules:
        lines += [
            "",
            "triage:",
            _commented("  expected_rules:", "of the alert rules that are there, those that must be"),
            *(f"    - {_scalar(rule)}" for rule in made.expected_rules),
        ]
    if made.unplayed_rules:
        lines += [
            "",
            "# Alert rules without a playbook of their own get the default triage; a row gives a severity or checks:",
            "playbooks: {}",
            *(f"#  {rule}: {{severity: Sev-2}}" for rule in made.unplayed_rules),
        ]
    return "\n".join([*lines, ""])


def _bot(bot: BotPlan) -> str:
    given = {
        "name": bot.name,
        "container": bot.container,
        "controller": bot.controller,
        "variant": bot.variant,
    }
    inside = ", ".join(f"{name}: {_scalar(value)}" for name, value in given.items() if value)
    return _commented(f"  - {{{inside}}}", bot.source)


def env_text(
    made: DeskPlan, asked: Asked, *, token: str, kept: Mapping[str, str], audit_key: str = ""
) -> str:
    """Return .env: ``kept`` are the values of the file that is there, which win; ``token`` is for the webhook.

    ``audit_key`` is for a first start alone: lines that were written without it would not verify.
    """
    slack = {
        "SLACK_BOT_TOKEN": (asked.bot_token, "the Bot User OAuth Token of the Slack app, xoxb-…"),
        "SLACK_APP_TOKEN": (asked.app_token, "an app-level token with connections:write, xapp-…"),
        "TRIAGE_CHANNEL": (asked.channel, "the channel of the incidents, by id or name"),
        "TRIAGE_WEBHOOK_TOKEN": (token, "made by init; Alertmanager sends it"),
        "TRIAGE_AUDIT_KEY": (audit_key, "signs the audit trail; keep a copy where the database is not"),
        "TRIAGE_DESK": (DESK_FILE, "the desk, beside this file"),
    }
    seen = {name: (str(value.value), _source(value)) for name, value in made.addresses.items()}
    lines = ["# Written by hbot-triage init; .env.example lists every setting."]
    written = {**slack, **seen}
    if not audit_key and "TRIAGE_AUDIT_KEY" not in kept:
        del written["TRIAGE_AUDIT_KEY"]
    for name, (value, about) in written.items():
        lines += [f"# {about}", f"{name}={_env_value(kept.get(name) or value)}"]
    others = {name: value for name, value in kept.items() if name not in written}
    if others:
        lines += ["# kept as it was", *(f"{name}={_env_value(value)}" for name, value in others.items())]
    return "\n".join([*lines, ""])


def alertmanager_text(own: Path | None = None) -> str:
    """Return what Alertmanager's configuration needs: a receiver and its route, beside those of the desk's ``own``."""
    where = f"{own}, the route before its others" if own is not None else "Alertmanager's configuration"
    return f"""\
# Written by hbot-triage init: put these parts into {where}, and the token
# (TRIAGE_WEBHOOK_TOKEN of {ENV_FILE}) into the file that credentials_file names, readable by Alertmanager alone.
# amtool check-config checks it.
{_ROUTE if own is None else _FURTHER_ROUTE}
receivers:
  - name: hbot-triage
    webhook_configs:
      - url: http://hbot-triage:8085/webhooks/alertmanager
        send_resolved: true
        http_config:
          follow_redirects: false   # a redirect answered by 200 would lose the alert without a trace
          authorization:
            type: Bearer
            credentials_file: /etc/alertmanager/hbot-triage.token
"""


def compose_text(made: DeskPlan, host: Host) -> str:
    """Return the compose file: the bot without the engine's socket, the agent without a network."""
    networks = "\n".join(
        f"  {name}: {{name: {json.dumps(real)}, external: true}}" for name, real in made.networks.items()
    )
    joined = ", ".join(made.networks) or "default"
    root, data = host.desk_root, made.paths["data"].value
    return f"""\
# Written by hbot-triage init: two services beside the desk. The bot faces Slack and holds neither the engine's socket nor
# the right to write to the desk; the agent holds both, and has no network (docs/security.md says what that separates).
#   sudo chown root:root {DESK_FILE}    # the agent takes none that others could change
#   docker compose -f {COMPOSE_FILE} up -d
name: hbot-triage

services:
  hbot-triage:
    image: hbot-triage:0.1.0
    container_name: hbot-triage
    restart: unless-stopped
    user: "10001:10001"
    env_file: {ENV_FILE}
    environment:
      DOCKER_HOST: ""
      TRIAGE_AGENT: unix:///run/hbot-triage/agent.sock
      TRIAGE_DESK: /etc/hbot-triage/desk.yaml
      TRIAGE_LISTEN: 0.0.0.0:8085
    ports: ["127.0.0.1:8085:8085"]
    volumes:
      - var:/app/var
      - ./{DESK_FILE}:/etc/hbot-triage/desk.yaml:ro
      - agent-socket:/run/hbot-triage:ro
      - {json.dumps(f"{data}:{data}:ro")}
    networks: [{joined}]
    depends_on: [agent]
    read_only: true
    tmpfs: [/tmp]
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
    mem_limit: 512m
    stop_grace_period: 15s

  agent:
    image: hbot-triage:0.1.0
    container_name: hbot-triage-agent
    command: [agent]
    restart: unless-stopped
    user: "{host.uid}:{host.gid}"  # who owns the desk's folder
    group_add: ["{host.docker_gid}"]  # the group of /var/run/docker.sock
    environment:
      TRIAGE_AGENT: unix:///run/hbot-triage/agent.sock
      TRIAGE_AGENT_UID: "10001"
      TRIAGE_AGENT_STATE: /var/lib/hbot-triage/agent
      TRIAGE_DESK: /etc/hbot-triage/desk.yaml
      DOCKER_HOST: unix:///var/run/docker.sock
    volumes:
      - /var/run/docker.sock:/var/run/docker.sock
      - ./{DESK_FILE}:/etc/hbot-triage/desk.yaml:ro
      - agent-socket:/run/hbot-triage
      - agent-state:/var/lib/hbot-triage
      - {json.dumps(f"{root}:{root}")}
    network_mode: none
    read_only: true
    tmpfs: [/tmp]
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
    mem_limit: 256m
    stop_grace_period: 15s

networks:
{networks or "  default: {}"}

volumes:
  var:
  agent-socket:
  agent-state:
"""


def _line(name: str, value: Value, indent: str = "") -> str:
    written = _inline(value.value) if isinstance(value.value, list | tuple) else _scalar(value.value)
    return _commented(f"{indent}{name}: {written}", _source(value))


def _source(value: Value) -> str:
    return f"guess: {value.source}" if value.guess else value.source


def _commented(text: str, comment: str) -> str:
    return f"{text:<{WIDTH}}  # {comment}" if comment else text


def _inline(values: Sequence[object] | Iterable[object]) -> str:
    return f"[{', '.join(_scalar(value) for value in values)}]"


def _scalar(value: object) -> str:
    text = str(value)
    plain = text.replace("-", "").replace("_", "").replace(".", "").isalnum() and not text[0].isdigit()
    return (
        text
        if plain and text.lower() not in {"yes", "no", "on", "off", "true", "false", "null"}
        else json.dumps(text)
    )


def _env_value(value: str) -> str:
    """Return a value as an env file takes it: in single quotes where it has more than plain characters."""
    if all(sign.isalnum() or sign in "_./:@+-,?&=%#" for sign in value) and "#" not in value:
        return value
    return f"'{value}'" if "'" not in value else json.dumps(value)
