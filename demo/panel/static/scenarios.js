// The list of scenarios: one goes on at a time, and shows how far it is; an ended one tells the truth.

import { el } from "./dom.js";

const STEPS = [
  ["pending", "Pending"],
  ["fired", "Alert"],
  ["triaged", "Triage"],
  ["healing", "Healing"],
  ["cured", "Cured"],
];
const WORDS = { pending: "pending", fired: "alert fired", triaged: "triaged", healing: "healing", cured: "cured" };

function stepper(phase) {
  const at = STEPS.findIndex(([name]) => name === phase);
  return el("ol", { class: "p-steps", "aria-label": `Step ${at + 1} of ${STEPS.length}: ${WORDS[phase]}` },
    STEPS.map(([, text], n) => el("li", { class: n < at || phase === "cured" ? "done" : n === at ? "here" : "" }, text)));
}

function line(kind, sign, head, ...text) {
  return el("div", { class: `p-fact ${kind}` }, el("span", { class: "p-sign", "aria-hidden": "true" }, sign),
    el("div", {}, el("b", {}, head), ...text));
}

function verdictLine(truth) {
  if (truth.named === null) return line("none", "–", "The bot has given no verdict.");
  const said = el("p", {}, `“${truth.strength}: ${truth.verdict}”`);
  return truth.named
    ? line("good", "✓", "The bot's verdict named it", said)
    : line("bad", "✗", "The bot's verdict did not name it", said);
}

function remedyLine(truth) {
  const used = truth.used.join(", ");
  if (!used) return line(truth.right ? "good" : "none", truth.right ? "✓" : "–", "No action was run", truth.right ? el("p", {}, "Nothing was to be pressed here.") : "");
  return truth.right
    ? line("good", "✓", "A right remedy was used", el("p", {}, used))
    : line("bad", "✗", "What was done does not cure it", el("p", {}, used));
}

function truthBox(truth) {
  return el("div", { class: "p-truth" },
    el("h4", {}, "What really happened"),
    el("p", { class: "p-cause" }, truth.cause),
    verdictLine(truth), remedyLine(truth),
    el("details", {}, el("summary", {}, "What cures it"),
      el("ul", {}, truth.remedies.map((one) => el("li", {}, el("code", {}, one.what), " ", one.how)))));
}

function actions(scenario, state, ask, page) {
  if (scenario.phase === "idle") {
    return el("button", {
      type: "button", class: "btn p-start", "data-key": `start-${scenario.name}`,
      disabled: !state.ready || Boolean(state.playing), "aria-label": `Start: ${scenario.title}`,
      title: state.playing ? "Another scenario still goes on" : "",
      onclick: () => { ask("start", { name: scenario.name }); page.open("desk-alerts"); },
    }, "Start");
  }
  if (scenario.phase === "cured") {
    return el("button", {
      type: "button", class: "linklike p-start", "data-key": `start-${scenario.name}`, disabled: Boolean(state.playing),
      onclick: () => ask("start", { name: scenario.name }),
    }, "Again");
  }
  return el("span", { class: `p-chip ${scenario.phase}` }, WORDS[scenario.phase]);
}

function card(scenario, state, ask, page) {
  const going = !["idle", "cured"].includes(scenario.phase);
  return el("li", { class: `p-scenario ${scenario.phase}${going ? " going" : ""}`, "data-scenario": scenario.name },
    el("div", { class: "p-top" }, el("h3", {}, scenario.title), actions(scenario, state, ask, page)),
    el("p", { class: "p-story" }, scenario.story),
    scenario.phase === "idle" ? "" : stepper(scenario.phase),
    scenario.hint ? el("p", { class: "p-hint" }, scenario.hint) : "",
    scenario.truth ? truthBox(scenario.truth) : "",
    going && scenario.ts ? ways(scenario, ask, page) : "");
}

function ways(scenario, ask, page) {
  const thread = async () => {
    await page.open("desk-alerts");
    page.openThread(scenario.ts);
  };
  return el("div", { class: "p-go" },
    el("button", { type: "button", class: "btn", "data-key": "thread", onclick: thread }, `Open ${scenario.incident}'s thread`),
    scenario.truth ? "" : el("button", { type: "button", class: "linklike p-reveal", "data-key": "reveal", onclick: () => ask("reveal", { name: scenario.name }) }, "What really happened?"));
}

export function scenarios(state, ask, page) {
  const order = [...state.scenarios].sort((a, b) => rank(a) - rank(b));
  return el("ul", { class: "p-scenarios", "aria-label": "What can go wrong" }, order.map((one) => card(one, state, ask, page)));
}

/** What goes on stands first. */
function rank(scenario) {
  return ["idle", "cured"].includes(scenario.phase) ? 1 : 0;
}
