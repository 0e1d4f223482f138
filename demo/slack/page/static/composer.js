// The message box: sends messages and slash commands, completes commands, their words, and names.

import { channel } from "./panes.js";
import { act, toast } from "./workspace.js";

const commands = JSON.parse(document.getElementById("commands").textContent);
const names = [...document.querySelectorAll(".who .menu b")].map((name) => ({ what: `@${name.textContent}`, why: "" }));
const appName = document.querySelector(".side a[data-open=home] .name").textContent;
names.unshift({ what: `@${appName}`, why: "The app" });

let sent = [];

/** What could come next at the end of a line: [{what, args, why, fill}]. */
function suggestions(line) {
  const mention = line.match(/(^|\s)(@[\w .-]*)$/);
  if (mention) {
    const start = line.slice(0, line.length - mention[2].length);
    return names.filter(({ what }) => what.toLowerCase().startsWith(mention[2].toLowerCase()) && what !== mention[2])
      .map((name) => ({ ...name, fill: `${start}${name.what} ` }));
  }
  if (!line.startsWith("/")) return [];
  const [name, ...rest] = line.split(" ");
  if (!rest.length) {
    return commands.filter((command) => command.name.startsWith(name) )
      .map((command) => ({ what: command.name, why: command.help, fill: `${command.name} ` }));
  }
  const command = commands.find((each) => each.name === name);
  if (!command || rest.length > 1) return [];
  return command.words.filter((word) => word.name.startsWith(rest[0]) && word.name !== rest[0])
    .map((word) => ({ what: `${name} ${word.name}`, args: word.arguments, why: word.help, fill: `${name} ${word.name}${word.arguments ? " " : ""}` }));
}

function parts(form) {
  return { box: form.querySelector("textarea"), list: form.querySelector(".completion"), send: form.querySelector(".send") };
}

function show(form) {
  const { box, list } = parts(form);
  const found = box.value.includes("\n") ? [] : suggestions(box.value);
  list.replaceChildren(...found.map((each, index) => {
    const item = document.createElement("li");
    item.role = "option";
    item.id = `${list.id}-${index}`;
    item.dataset.fill = each.fill;
    item.setAttribute("aria-selected", String(index === 0));
    for (const [kind, text] of [["what", each.what], ["args", each.args], ["why", each.why]]) {
      if (!text) continue;
      const span = document.createElement("span");
      span.className = kind;
      span.textContent = text;
      item.append(span);
    }
    return item;
  }));
  list.hidden = !found.length;
  box.setAttribute("aria-expanded", String(!list.hidden));
  if (list.hidden) box.removeAttribute("aria-activedescendant");
  else box.setAttribute("aria-activedescendant", `${list.id}-0`);
}

function hide(form) {
  const { box, list } = parts(form);
  list.hidden = true;
  box.setAttribute("aria-expanded", "false");
  box.removeAttribute("aria-activedescendant");
}

function move(form, step) {
  const { box, list } = parts(form);
  const items = [...list.children];
  const at = items.findIndex((item) => item.ariaSelected === "true");
  const next = items[(at + step + items.length) % items.length];
  for (const item of items) item.ariaSelected = String(item === next);
  next.scrollIntoView({ block: "nearest" });
  box.setAttribute("aria-activedescendant", next.id);
}

function fill(form, item) {
  const { box } = parts(form);
  box.value = item.dataset.fill;
  box.focus();
  grow(form);
  show(form);
}

function grow(form) {
  const { box, send } = parts(form);
  box.style.height = "auto";
  box.style.height = `${box.scrollHeight}px`;
  send.disabled = !box.value.trim();
}

async function deliver(form) {
  const { box } = parts(form);
  const text = box.value.trim();
  if (!text) return;
  sent = [text, ...sent.filter((each) => each !== text)].slice(0, 50);
  box.value = "";
  grow(form);
  hide(form);
  const where = form.dataset.channel || channel();
  try {
    if (text.startsWith("/")) await act("command", { line: text, channel: where });
    else await act("say", { text, channel: where, ...(form.dataset.thread && { thread_ts: form.dataset.thread }) });
  } catch (error) {
    toast(error.message);
    box.value = text;
    grow(form);
  }
}

/** Keys while the completion is open; returns whether the key is used up. */
function completing(form, event) {
  const { box, list } = parts(form);
  const current = list.querySelector("[aria-selected=true]");
  const complete = current && box.value.trimEnd() !== current.dataset.fill.trimEnd();
  if (event.key === "ArrowDown") move(form, 1);
  else if (event.key === "ArrowUp") move(form, -1);
  else if (event.key === "Escape") hide(form);
  else if (event.key === "Tab" || (event.key === "Enter" && complete)) fill(form, current);
  else return false;
  return true;
}

function recall(form) {
  const { box } = parts(form);
  if (box.value || !sent.length) return false;
  box.value = sent[0];
  grow(form);
  return true;
}

function pressed(event) {
  const form = event.target.closest?.(".composer");
  if (!form || event.isComposing) return;
  const { list } = parts(form);
  let used = false;
  if (!list.hidden) used = completing(form, event);
  else if (event.key === "ArrowUp") used = recall(form);
  if (!used && event.key === "Enter" && !event.shiftKey) {
    deliver(form);
    used = true;
  }
  if (used) {
    event.preventDefault();
    event.stopPropagation();
  }
}

function start_with(form, text) {
  const { box } = parts(form);
  box.value = text === "@" && box.value ? `${box.value.trimEnd()} @` : text;
  box.focus();
  grow(form);
  show(form);
}

export function start() {
  document.addEventListener("keydown", pressed);
  document.addEventListener("input", (event) => {
    const form = event.target.closest(".composer");
    if (!form) return;
    grow(form);
    show(form);
  });
  document.addEventListener("submit", (event) => {
    const form = event.target.closest(".composer");
    if (!form) return;
    event.preventDefault();
    deliver(form);
  });
  document.addEventListener("click", (event) => {
    const form = event.target.closest(".composer");
    if (!form) return;
    const item = event.target.closest(".completion li");
    if (item) fill(form, item);
    else if (event.target.closest(".slash")) start_with(form, "/");
    else if (event.target.closest(".at")) start_with(form, "@");
  });
  document.addEventListener("focusout", (event) => {
    const form = event.target.closest?.(".composer");
    if (form && !form.contains(event.relatedTarget)) setTimeout(() => hide(form), 150);
  });
}
