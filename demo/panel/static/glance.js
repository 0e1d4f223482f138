// The desk at a glance: the truth of the simulation, not what the bot knows.

import { el } from "./dom.js";

const GOOD = new Set(["running"]);

function botLine(bot) {
  const lives = bot.container === "running";
  const state = !lives ? bot.container : bot.frozen ? `${bot.state}, frozen` : bot.state;
  const kind = !lives || bot.state === "hard_stop" || bot.frozen ? "bad" : bot.state === "running" ? "good" : "warn";
  const why = bot.reasons.length ? bot.reasons.join(", ") : bot.restarts ? `${bot.restarts} restarts` : "";
  return el("li", {},
    el("span", { class: `p-dot ${kind}`, "aria-hidden": "true" }),
    el("b", {}, bot.name), el("span", { class: "p-pair" }, bot.pair),
    el("span", { class: `p-state ${kind}` }, state),
    why ? el("small", {}, why) : "");
}

function serviceChip(service) {
  const kind = GOOD.has(service.status) ? "good" : service.status === "exited" || service.status === "removed" ? "off" : "bad";
  return el("li", { class: kind, title: `${service.name}: ${service.status}` },
    el("span", { class: `p-dot ${kind}`, "aria-hidden": "true" }), service.name,
    kind === "good" ? "" : el("em", {}, service.status));
}

export function glance(desk) {
  const redis = { name: "redis", status: desk.redis.serving ? "running" : desk.redis.status === "running" ? "not answering" : desk.redis.status };
  const services = [redis, ...desk.external, ...desk.services];
  const wrong = services.filter((one) => !GOOD.has(one.status));
  const rest = services.length - wrong.length;
  const chips = [...wrong.map(serviceChip), el("li", { class: "p-rest" }, el("span", { class: "p-dot good", "aria-hidden": "true" }), wrong.length ? `${rest} others run` : `Redis and all ${rest - 1} other services run`)];
  return el("section", { class: "p-glance" },
    el("h3", {}, "The desk, as it really is"),
    el("div", {}, el("ul", { class: "p-bots" }, desk.bots.map(botLine)), el("ul", { class: "p-services" }, chips)));
}
