// The entry: puts the parts together and handles what belongs to the whole page.

import * as acts from "./acts.js";
import * as composer from "./composer.js";
import { connect } from "./live.js";
import * as modal from "./modal.js";
import { arrive, channel, clearUnread, closeThread, open, openThread, settleThread } from "./panes.js";
import { act, on, toast, user, userId } from "./workspace.js";

const body = document.body;
const veil = document.querySelector(".veil");
const panel = document.getElementById("panel");

function side(shown) {
  body.classList.toggle("with-side", shown);
  veil.hidden = !shown;
  document.querySelector(".burger").setAttribute("aria-expanded", String(shown));
}

function showPanel(shown) {
  panel.hidden = !shown;
  body.classList.toggle("with-panel", shown);
  document.querySelector(".panel-toggle")?.setAttribute("aria-expanded", String(shown));
  localStorage.setItem("panel", shown ? "open" : "closed");
}

function nextTheme() {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const now = root.dataset.theme ?? (dark ? "dark" : "light");
  root.dataset.theme = now === "dark" ? "light" : "dark";
  document.cookie = `theme=${root.dataset.theme}; path=/; max-age=31536000; samesite=strict`;
}

function clicked(event) {
  const link = event.target.closest("a[data-open]");
  if (link && !event.metaKey && !event.ctrlKey && !event.shiftKey) {
    event.preventDefault();
    side(false);
    open(link.dataset.open);
    return;
  }
  const thread = event.target.closest("button[data-thread]");
  if (thread) openThread(thread.dataset.thread);
  else if (event.target.closest(".close-thread")) closeThread();
  else if (event.target.closest(".burger")) side(!body.classList.contains("with-side"));
  else if (event.target.closest(".veil")) side(false);
  else if (event.target.closest(".theme")) nextTheme();
  else if (event.target.closest(".panel-toggle")) showPanel(panel.offsetParent === null);
}

function pressed(event) {
  if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open]")) return;
  const menu = document.querySelector("details.overflow[open], details.who[open]");
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
  } else if (body.classList.contains("with-side")) side(false);
  else closeThread();
}

/** What the panel's module is given to work with. */
const workspace = { user, userId, act, on, toast, open, openThread, channel, close: () => showPanel(false) };

async function loadPanel() {
  if (!body.dataset.panel) return;
  const module = await import(body.dataset.panel);
  await module.default(panel, workspace);
  const narrow = matchMedia("(max-width: 1100px)").matches;
  showPanel(!narrow && localStorage.getItem("panel") !== "closed");
}

document.addEventListener("click", clicked);
document.addEventListener("keydown", pressed);
document.addEventListener("visibilitychange", () => !document.hidden && clearUnread(channel()));
window.addEventListener("popstate", () => open(location.pathname.split("/").pop(), { push: false }));
acts.start();
composer.start();
modal.start();
arrive();
settleThread();
connect();
loadPanel().catch((error) => toast(`The panel could not be loaded: ${error.message}`));
