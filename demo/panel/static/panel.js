// The side panel: what can go wrong, how fast time runs, the desk at a glance, and the truth at the end.

import { el, svg } from "./dom.js";
import { scenarios } from "./scenarios.js";
import { glance } from "./glance.js";
import { follow, tour } from "./tour.js";

let state = { ready: false, scenarios: [], note: "Connecting…" };
let told = performance.now();
let round = null;
let page = null;
let shown = "";
let playing;

/** Ask for something; what cannot be is said in a toast. */
export async function ask(verb, values = {}) {
  const answer = await fetch(`/panel/${verb}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(values),
  });
  const body = await answer.json();
  if (!answer.ok) page.toast(body.error);
  else take(body);
}

/** The desk's present, in seconds, between two messages of the server. */
function now() {
  const passed = (performance.now() - told) / 1000;
  return state.time ? state.time.now + passed * state.time.speed : 0;
}

function clockText(seconds) {
  return new Date(seconds * 1000).toISOString().slice(11, 19);
}

function speeds() {
  const { chosen, speed, fixed } = state.time;
  if (fixed) return el("p", { class: "p-note" }, "Time runs at real speed: real servers share it.");
  const choice = (value, text, title) =>
    el("button", { type: "button", title, "aria-pressed": String(chosen === value), onclick: () => ask("speed", { speed: value }) }, text);
  return el("div", { class: "p-speeds" },
    el("div", { class: "p-segments", role: "group", "aria-label": "Speed of the desk's time" },
      choice(0, "Auto", "Fast while a scenario's alert is pending and while it heals, real time while it is your turn"),
      choice(1, "1×", "Real time"), choice(10, "10×", "Ten times as fast"), choice(60, "60×", "A minute a second")),
    el("button", { type: "button", class: "p-skip", title: "Let ten minutes of the desk's time pass quickly", disabled: state.time.skipping, onclick: () => ask("skip") },
      svg("M4 5l6 5-6 5zM11 5l6 5-6 5z"), "10 min"));
}

function timeBox() {
  if (!state.ready) return el("section", { class: "p-time waiting" }, el("span", { class: "p-spinner", "aria-hidden": "true" }), el("p", {}, state.note));
  const fast = state.time.speed > 1;
  return el("section", { class: `p-time${fast ? " fast" : ""}`, "aria-label": "Time of the desk" },
    el("div", { class: "p-clock" },
      el("b", { class: "p-now" }, clockText(now())), el("span", {}, "UTC on the desk"),
      el("span", { class: "p-speed" }, `${state.time.speed}×`)),
    speeds());
}

function foot() {
  const real = state.real?.length ? `Real: ${state.real.join(", ")}. The rest is simulated.` : "Everything here is simulated on this machine, but the bot: that is the real one.";
  return el("footer", { class: "p-foot" },
    el("p", {}, real),
    el("div", { class: "p-row" },
      el("button", { type: "button", class: "btn", disabled: !state.ready, onclick: () => ask("reset") }, "Reset the desk"),
      el("button", { type: "button", class: "linklike", onclick: () => tour(page, { again: true }) }, "Show the tour")));
}

function render(panel) {
  // The clock ticks by itself; everything else is drawn anew only when it changed, so that focus stays.
  const key = JSON.stringify({ ...state, time: { ...state.time, now: 0 } });
  if (key === shown) return;
  shown = key;
  const focus = document.activeElement?.closest("#panel") ? document.activeElement.dataset.key : null;
  const top = state.playing === playing ? panel.scrollTop : 0; // what has just begun stands first
  playing = state.playing;
  panel.replaceChildren(
    el("header", { class: "p-head" }, el("h2", {}, "Scenarios"),
      el("button", { type: "button", class: "icon", "aria-label": "Close the panel", onclick: () => page.close() }, svg("M5 5l10 10M15 5L5 15"))),
    timeBox(), state.ready ? glance(state.desk) : "", el("h3", { class: "p-list" }, "What can go wrong"), scenarios(state, ask, page), foot());
  panel.scrollTop = top;
  if (focus) panel.querySelector(`[data-key="${CSS.escape(focus)}"]`)?.focus({ preventScroll: true });
}

function take(news) {
  if (round !== null && news.round !== round) {
    location.reload(); // another desk: what the page shows is of the one before
    return;
  }
  round = news.round;
  state = news;
  told = performance.now();
  render(document.getElementById("panel"));
  follow(state);
}

/** Called by the page once it is there. */
export default async function start(panel, workspace) {
  page = workspace;
  const first = await fetch("/panel/state");
  take(await first.json());
  const live = new EventSource("/panel/live");
  live.addEventListener("message", (event) => take(JSON.parse(event.data)));
  setInterval(() => {
    const clock = panel.querySelector(".p-now");
    if (clock) clock.textContent = clockText(now());
  }, 200);
  tour(page);
}
