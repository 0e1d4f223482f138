"""Two desks to read: the one of the runbooks, and a later one with plain container names and seven bots."""

from pathlib import Path

FIRST_COMPOSE = """\
services:
  bot1:
    image: ${HUMMINGBOT_IMAGE}
    container_name: hbot-bot1
    restart: unless-stopped
    networks: [trading]
  bot2:
    image: ${HUMMINGBOT_IMAGE}
    container_name: hbot-bot2
    profiles: [multi]
    networks: [trading]
  bot3:
    image: ${HUMMINGBOT_IMAGE}
    container_name: hbot-bot3
    profiles: [test]
    networks: [trading]
  redis:
    image: redis:7.2
    container_name: hbot-redis
    profiles: [external]
    command: redis-server --appendonly yes
    networks: [trading]
  signal-service:
    image: python:3.11-slim
    container_name: hbot-signal-service
    profiles: [external]
    depends_on: [redis]
    networks: [trading]
  risk-service:
    image: python:3.11-slim
    container_name: hbot-risk-service
    profiles: [external]
    depends_on: [redis, signal-service]
    networks: [trading]
  bot-metrics-exporter:
    image: python:3.11-slim
    container_name: hbot-bot-metrics-exporter
    networks: [monitoring]
  prometheus:
    image: prom/prometheus:v2.51.0
    container_name: hbot-prometheus
    ports: ["9090:9090"]
    networks: [monitoring]
  loki:
    image: grafana/loki:2.9.8
    container_name: hbot-loki
    ports: ["127.0.0.1:3100:3100"]
    networks: [monitoring]
  alertmanager:
    image: prom/alertmanager:v0.27.0
    container_name: hbot-alertmanager
    profiles: [alerts]
    ports: [9093:9093]
    networks: [monitoring]
networks:
  monitoring: {name: hbot-monitoring}
  trading: {name: hbot-trading}
"""
FIRST_ENV = "COMPOSE_PROJECT_NAME=hbot\nHUMMINGBOT_IMAGE=hummingbot/hummingbot:version-2.11.0\n"

LATER_SERVICES = "".join(
    f"""\
  bot{number}:
    <<: *bot
    container_name: bot{number}
"""
    for number in range(1, 8)
)
LATER_COMPOSE = f"""\
name: kzay-capital
x-bot: &bot
  image: ${{HUMMINGBOT_IMAGE:-hummingbot/hummingbot:version-2.14.0}}
  restart: unless-stopped
services:
{LATER_SERVICES}\
  redis:
    image: redis:7.2
    container_name: redis
    profiles: [external]
    command: ["redis-server", "--requirepass", "${{REDIS_PASSWORD}}"]
  coordination-service:
    image: kzay/services:1
    container_name: coordination-service
    profiles: [external]
    depends_on:
      redis: {{condition: service_healthy}}
  prometheus: {{image: "prom/prometheus:v2.53.0", container_name: prometheus}}
  grafana: {{image: "grafana/grafana:11.1.0", container_name: grafana, ports: ["3000:3000"]}}
networks:
  default: {{}}
"""
RULES = """\
groups:
  - name: desk
    rules:
      - {alert: BotHardStopActive, expr: "1"}
      - {alert: MoonPhaseWrong, expr: "1"}
"""


def lay_out(root: Path, compose: str, env: str, bots: dict[str, str]) -> Path:
    """Write a desk's folder. ``bots``: each bot's variant."""
    (root / "compose").mkdir(parents=True)
    (root / "compose" / "docker-compose.yml").write_text(compose, encoding="utf-8")
    (root / "env").mkdir()
    (root / "env" / ".env").write_text(env, encoding="utf-8")
    (root / "backups").mkdir()
    (root / "monitoring" / "rules").mkdir(parents=True)
    (root / "monitoring" / "rules" / "desk.yml").write_text(RULES, encoding="utf-8")
    for bot, variant in bots.items():
        folder = root / "data" / bot / "logs" / "epp_v24" / f"{bot}_{variant}"
        folder.mkdir(parents=True)
        (folder / "minute.csv").write_text("ts\n", encoding="utf-8")
    return root


def first(root: Path) -> Path:
    """The desk of the runbooks."""
    return lay_out(root, FIRST_COMPOSE, FIRST_ENV, {"bot1": "a", "bot2": "d"})


def later(root: Path) -> Path:
    """The later layout."""
    bots = {f"bot{number}": "a" for number in range(1, 8)} | {"bot5": "c"}
    return lay_out(root, LATER_COMPOSE, 'REDIS_PASSWORD="hush"\n', bots)


ODD_COMPOSE = """\
name: ${DESK_NAME:-desk}
include: [{path: [monitoring.yml]}, more.yml]
x-env: &env
  env_file: [{path: .env, required: false}]
services:
  alpha:
    <<: *env
    extends: {file: common.yml, service: base}
    container_name: ${DESK_NAME}_alpha
    profiles: [live]
  mm-eth:
    extends: alpha
    container_name: ${DESK_NAME}_mm-eth
    profiles: [live, eth]
  cache:
    image: valkey/valkey:8
    container_name: ${DESK_NAME}_cache
    command: valkey-server --requirepass ${CACHE_PASSWORD:?set it} --appendonly yes
    profiles: [bus]
    ports: [{target: 6379, published: "16379"}]
    networks: {back: {aliases: [redis]}}
  signals:
    build: .
    depends_on: {cache: {condition: service_started}}
    profiles: [bus]
  ghost:
    extends: {file: nowhere.yml, service: x}
  empty:
networks: {back: {driver: bridge}, front: }
"""
ODD_FILES = {
    "compose.yaml": ODD_COMPOSE,
    "common.yml": "services: {base: {image: 'registry.example/desk/hummingbot:2.16@sha256:"
    + "0" * 64
    + "'}}\n",
    "monitoring.yml": """\
services:
  prom: {image: "prom/prometheus:v2.53.0", ports: ["127.0.0.1:19090:9090"], networks: [back]}
  am: {image: "prom/alertmanager:v0.27.0", networks: [back]}
  logs: {image: "grafana/loki:3.1.0", expose: ["3100"], networks: [back]}
""",
    ".env": '\ufeffDESK_NAME=nightdesk\nCACHE_PASSWORD="p w#1"\n',
}


def odd(root: Path) -> Path:
    """Everything at the root, parts in other files, names that nobody would guess, pieces that are missing."""
    for name, text in ODD_FILES.items():
        root.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    (root / "data" / "alpha" / "logs" / "epp_v24" / "alpha_b").mkdir(parents=True)
    (root / "data" / "alpha" / "logs" / "epp_v24" / "alpha_b" / "minute.csv").write_text("ts\n")
    return root


THIRD_COMPOSE = """\
name: quokka
x-bot: &bot
  image: "${BOT_IMAGE}"
  networks: [trade]
services:
  mm-btc: {<<: *bot, container_name: quokka_mm-btc, volumes: ["../bots/mm-btc/conf:/home/hummingbot/conf"]}
  mm-eth:
    <<: *bot
    container_name: quokka_mm-eth
    profiles: [live]
    volumes: ["../bots/mm-eth/logs:/home/hummingbot/logs"]
  arb-sol: {<<: *bot, container_name: quokka_arb-sol, profiles: [live]}
  grid-xrp: {<<: *bot, container_name: quokka_grid-xrp, profiles: [paper]}
  bus:
    image: redis:7.2-alpine
    container_name: quokka_bus
    command: [redis-server, --requirepass, "${BUS_PASSWORD}"]
    profiles: [signals]
    networks: [trade]
  prometheus: {image: "prom/prometheus:v2.53.0", container_name: quokka_prometheus, networks: [watch]}
networks: {trade: {name: quokka-trade}, watch: {name: quokka-watch}}
"""
THIRD_ENV = """\
# The image of the bots; pin it
BOT_IMAGE=registry.example/hummingbot:2.16.0   # what compose takes
# password of the bus
BUS_PASSWORD=changeme  # not for production
"""


def third(root: Path) -> Path:
    """Other names and places: four bots in ``bots/``, ``deploy/compose.yaml``, the env file in ``conf/``, rules deeper."""
    files = {
        "deploy/compose.yaml": THIRD_COMPOSE,
        "conf/.env.template": THIRD_ENV,
        "conf/.env": THIRD_ENV.replace("changeme", "hush"),
        "monitoring/prometheus/rules/bots.yaml": RULES,
        "bots/mm-btc/logs/epp_v24/mm-btc_b/minute.csv": "ts\n",
        "backups/keep": "",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


TWO_REDIS_COMPOSE = """\
name: ${PROJECT:-${TEAM:-meridian}}
x-bot: &bot
  image: ${BOT_IMAGE:-hummingbot/hummingbot}:${BOT_TAG:?set BOT_TAG}
  networks: [venue]
services:
  cache: {image: "valkey/valkey:8", container_name: cache, networks: [venue]}
  bus:
    image: redis:7.2-alpine
    container_name: bus
    command: [redis-server, --requirepass, "${BUS_PASSWORD}", --port, "6380"]
    expose: ["6380"]
    networks: [venue]
  router: {image: "acme/router:1", container_name: router, depends_on: [bus], networks: [venue]}
"""


def two_redis(root: Path) -> Path:
    """Twelve bots, half of them in a profile, two Redis, no monitoring, folders of other names."""
    bots = [f"mm-{number:02}" for number in range(1, 13)]
    text = TWO_REDIS_COMPOSE + "".join(
        f"  {bot}:\n    <<: *bot\n    container_name: {bot}\n"
        f"    volumes: [../state/{bot}/conf:/home/hummingbot/conf]\n"
        + ("    profiles: [wide]\n" if number > 5 else "")
        for number, bot in enumerate(bots)
    )
    for bot in bots:
        (root / "state" / bot / "conf").mkdir(parents=True)
    (root / "stack").mkdir()
    (root / "stack" / "compose.yaml").write_text(f"{text}networks: {{venue: {{}}}}\n", encoding="utf-8")
    over = "services:\n  cache:\n    networks: !override [venue]\n    labels: !reset []\n"
    (root / "stack" / "compose.override.yaml").write_text(over, encoding="utf-8")
    (root / "settings").mkdir()
    (root / "settings" / ".env").write_text("BOT_TAG=2.4.0\nBUS_PASSWORD='s3cr#t'\n", encoding="utf-8")
    return root
