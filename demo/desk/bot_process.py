"""How a bot's process starts: it reads its real YAML file, loads code or bytecode, and asks for its fees."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ruamel.yaml.error import YAMLError

from demo.desk import controller_code
from demo.desk.bot_model import PROJECT_FEE_PCT, PROJECT_FEES, Bot, Process
from demo.desk.container import Container
from demo.desk.guards import Limits
from demo.yaml_text import read_yaml

if TYPE_CHECKING:
    from demo.desk.world_state import WorldState

BOOT_SECONDS = 12.0


def boot(world: "WorldState", bot: Bot, container: Container) -> None:
    """Give the bot a new process; without a usable config it has none and its container will exit."""
    now = world.clock.now()
    bot.process, bot.orders, bot.cancel_per_min = None, 0, 0.0
    config = _config(world, bot)
    if config is None:
        return
    try:
        code = controller_code.load(world.layout.controllers(bot.name), now)
    except FileNotFoundError as error:
        world.log(
            bot,
            "ERROR",
            "hummingbot.client.hummingbot_application",
            f"controller not found: {error.filename}",
        )
        return
    process = Process(
        started_at=now,
        ready_at=now + BOOT_SECONDS,
        code=code,
        image=world.engine.images[container.spec.image],
        config=config,
        limits=_limits(config),
        environment=dict(container.spec.environment),
    )
    process.target_base_pct = process.number("target_base_pct", 0.5)
    bot.process = process
    world.log(
        bot, "INFO", "hummingbot.client.hummingbot_application", f"Starting {config.get('id')} on {bot.pair}"
    )
    if not world.exchange.fees_known(now):
        process.fee_source, process.fee_pct = PROJECT_FEES, PROJECT_FEE_PCT
        world.log(
            bot,
            "WARNING",
            "hummingbot.strategy.fees",
            "user fee query refused (40014 incorrect permissions), using fee_profiles.json until the next start",
        )


def _config(world: "WorldState", bot: Bot) -> Mapping[str, object] | None:
    path = world.layout.controller_config(bot.name, bot.variant)
    try:
        document = read_yaml(path.read_text())
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        reason = str(error).splitlines()[0]
        world.log(bot, "ERROR", "hummingbot.client.config", f"cannot read {path.name}: {reason}")
        return None
    if not isinstance(document, dict):
        world.log(bot, "ERROR", "hummingbot.client.config", f"cannot read {path.name}: it holds no settings")
        return None
    return {str(key): value for key, value in document.items()}


def _limits(config: Mapping[str, object]) -> Limits:
    names = ("min_base_pct", "max_base_pct", "max_daily_loss_pct", "max_drawdown_pct", "max_daily_turnover_x")
    given = {name: float(value) for name in names if isinstance(value := config.get(name), int | float)}
    return Limits(**given)
