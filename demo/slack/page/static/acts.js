// Buttons, menus and their confirm dialogs, in messages, in modals and on the Home tab.

import { valueOf } from "./fields.js";
import { act, toast } from "./workspace.js";

const confirmBox = document.getElementById("confirm");

/** Where an element stands, as the control API names it. */
function whereOf(element) {
  const message = element.closest(".message");
  if (message) return { channel: message.dataset.channel, ts: message.dataset.ts };
  return element.closest("[data-home]") ? { home: true } : {};
}

/** Ask, when the app wants it; resolves to whether to go on. */
function confirmed(element) {
  const template = element.closest(".el")?.querySelector("template.confirm");
  if (!template) return Promise.resolve(true);
  const words = template.content.cloneNode(true);
  const button = (text, kind) => {
    const made = document.createElement("button");
    made.type = "button";
    made.className = `btn ${kind}`;
    made.append(...text.childNodes);
    return made;
  };
  const no = button(words.querySelector(".no"), "no");
  const filled = template.dataset.style === "danger" ? "danger filled" : "primary";
  const yes = button(words.querySelector(".yes"), `yes ${filled}`);
  const row = document.createElement("div");
  row.className = "row";
  row.append(no, yes);
  confirmBox.replaceChildren(words.querySelector("h2"), words.querySelector(".text"), row);
  confirmBox.showModal();
  yes.focus();
  return new Promise((resolve) => {
    yes.addEventListener("click", () => confirmBox.close("yes"));
    no.addEventListener("click", () => confirmBox.close("no"));
    confirmBox.addEventListener("close", () => resolve(confirmBox.returnValue === "yes"), { once: true });
    confirmBox.returnValue = "no";
  });
}

/** Send one use of an element to the app and show that it is under way. */
async function send(element, value) {
  element.setAttribute("aria-busy", "true");
  try {
    const { outcome } = await act("click", {
      ...whereOf(element),
      block_id: element.dataset.block,
      action_id: element.dataset.action,
      value,
    });
    if (!outcome.acked) failed(element, outcome.why);
  } catch (error) {
    toast(error.message);
  } finally {
    element.removeAttribute("aria-busy");
  }
}

function failed(element, why) {
  const reasons = {
    "no connection": "The app is not connected.",
    operation_timeout: "The app did not answer in time.",
  };
  toast(reasons[why] ?? `The app could not be reached: ${why}`);
  if (element.parentElement?.querySelector(".failed")) return;
  const sign = document.createElement("span");
  sign.className = "failed";
  sign.title = why;
  sign.textContent = "⚠";
  element.after(sign);
  setTimeout(() => sign.remove(), 8000);
}

async function clicked(element) {
  if (element.getAttribute("aria-busy") === "true") return;
  const menu = element.closest("details.overflow");
  if (menu) menu.open = false;
  if (!(await confirmed(element))) return;
  if (element.dataset.url) window.open(element.dataset.url, "_blank", "noopener,noreferrer");
  await send(element, element.dataset.value ?? null);
}

async function chosen(element) {
  const value = valueOf(element);
  if (value === null && element.matches("select")) return;
  if (!(await confirmed(element))) {
    if (element.matches("select")) element.selectedIndex = [...element.options].findIndex((option) => option.defaultSelected);
    return;
  }
  await send(element, value);
}

export function start() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-click]");
    if (button) clicked(button);
    for (const menu of document.querySelectorAll("details.overflow[open], details.who[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
  document.addEventListener("change", (event) => {
    const field = event.target.closest("[data-choose]");
    if (field && !field.matches(".many")) chosen(field);
  });
  document.addEventListener("toggle", (event) => {
    const many = event.target;
    if (!many.matches?.(".many[data-choose]")) return;
    const now = JSON.stringify(valueOf(many));
    if (many.open) many.dataset.was = now;
    else if (many.dataset.was !== now) chosen(many);
  }, true);
}
