// The tour: a line above the messages that says what to do next, and goes along with what happens. Dismissed once, it stays away.

import { el, svg } from "./dom.js";

const KEY = "tour";
let card = null;
let page = null;
let last = {};

const narrow = () => matchMedia("(max-width: 760px)").matches;

function words(state) {
  const playing = state.scenarios?.find((one) => one.name === state.playing);
  const ended = state.scenarios?.find((one) => one.phase === "cured");
  const where = narrow() ? "Open the panel (top right) and press" : "On the right, press";
  if (!state.ready) return [0, "Welcome", "This is a Slack workspace and a trading desk on your own machine. The desk is being set up…"];
  if (!playing && ended) return [5, "That was the whole story", "The panel says what the cause really was, and whether the bot named it. Start another one; as Ben you can be the second person for a rollback."];
  if (!playing) return [1, "Let something go wrong", `${where} Start at a scenario, for instance “Redis dies”. The desk's time runs faster until the alert is here.`];
  if (playing.phase === "pending") return [2, "Its alert is pending", "Watch #desk-alerts: the incident appears by itself, one message that lives as long as it lasts."];
  if (playing.phase === "fired") return [3, "The alert is here", "Triage is looking at the bot, its logs, its container, the host, the streams. A second or two."];
  if (playing.phase === "triaged") return [4, "Your turn", "The message says what is wrong and how sure that is. Open its thread for the evidence. Then press the action that fits, give a reason, and confirm."];
  return [5, "It heals", "The cause is gone. The message closes when the alerts have ended; then the panel tells the truth."];
}

function draw(state) {
  const [step, head, text] = words(state);
  const steps = el("span", { class: "tour-steps", "aria-label": `Step ${step} of 5` }, [1, 2, 3, 4, 5].map((n) => el("i", { class: n <= step ? "on" : "" })));
  card.replaceChildren(
    el("div", {}, el("b", {}, `${head}. `), text), steps,
    el("button", { type: "button", class: "icon tour-close", "aria-label": "Close the tour", onclick: dismiss }, svg("M5 5l10 10M15 5L5 15")));
}

function dismiss() {
  localStorage.setItem(KEY, "seen");
  card?.remove();
  card = null;
}

/** Show the tour, unless it was dismissed before; `again` shows it whatever was. */
export function tour(workspace, { again = false } = {}) {
  page = workspace;
  if (card || (!again && localStorage.getItem(KEY))) return;
  if (again) localStorage.removeItem(KEY);
  card = el("aside", { class: "tour", role: "status", "aria-label": "Tour" });
  document.body.append(card);
  draw(last);
  if (again && narrow()) page.close();
}

/** Go along with what happens. */
export function follow(state) {
  const step = words(state)[1];
  const before = last.scenarios ? words(last)[1] : "";
  last = state;
  if (card && step !== before) draw(state);
}
