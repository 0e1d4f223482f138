// The main pane and the thread beside it: opening, scrolling, taking in what is new.

import { act, parse, piece, tell, toast, user } from "./workspace.js";
import { markRead } from "./live.js";

const main = document.getElementById("main");
const threadBox = document.getElementById("thread");
const atEnd = new WeakMap();

let latest = 0;

/** Note how far the live connection has come; a pane rendered before that is loaded again. */
export function seen(version) {
  latest = Math.max(latest, version);
}

export const shownVersion = () => Number(main.querySelector(".pane")?.dataset.version ?? 0);

/** Fetch a pane that is no older than what the live connection has told. */
async function fetchPane(path) {
  let html = "";
  for (let tries = 0; tries < 5; tries += 1) {
    html = await piece(path);
    if (Number(parse(html).dataset.version) >= latest) break;
  }
  return html;
}

export const place = () => main.querySelector(".pane")?.dataset.place ?? "";
export const channel = () => main.querySelector(".pane")?.dataset.channel ?? "";
export const openThreadTs = () => (threadBox.hidden ? "" : threadBox.querySelector(".pane")?.dataset.thread ?? "");

function scroller(box) {
  return box.querySelector(".scroller");
}

function toEnd(box) {
  const area = scroller(box);
  if (area) area.scrollTop = area.scrollHeight;
}

/** Prepare a pane that has just been put in: scroll position, images that grow, the way back to the end. */
function settle(box) {
  const area = scroller(box);
  if (!area) return;
  localTimes(box);
  const newest = box.querySelector(".newest");
  atEnd.set(area, true);
  area.addEventListener("scroll", () => {
    const near = area.scrollHeight - area.scrollTop - area.clientHeight < 60;
    atEnd.set(area, near);
    if (near && newest) newest.hidden = true;
  }, { passive: true });
  area.addEventListener("load", () => atEnd.get(area) && toEnd(box), true);
  newest?.addEventListener("click", () => toEnd(box));
  new ResizeObserver(() => atEnd.get(area) && toEnd(box)).observe(area);
}

function localTimes(box) {
  for (const field of box.querySelectorAll("input[data-seconds]")) {
    const seconds = Number(field.dataset.seconds);
    if (!seconds) continue;
    const when = new Date(seconds * 1000 - new Date(seconds * 1000).getTimezoneOffset() * 60000);
    field.value = when.toISOString().slice(0, 16);
  }
}

function unreadLine() {
  const list = main.querySelector(".messages[data-read]");
  if (!list?.dataset.read) return;
  const first = [...list.children].find((item) => item.dataset.ts > list.dataset.read && !item.matches(`[data-author="${document.body.dataset.userId}"]`));
  if (!first) return;
  const line = document.createElement("div");
  line.className = "unread-line";
  line.textContent = "New";
  first.querySelector("article").before(line);
}

/** Show a channel (by name or id) or "home" in the main pane. */
export async function open(where, { push = true } = {}) {
  try {
    main.innerHTML = await fetchPane(`pane/${encodeURIComponent(where)}`);
  } catch (error) {
    toast(error.message);
    return;
  }
  if (push) history.pushState({ place: where }, "", `/w/${user}/${where}`);
  closeThread({ push: false });
  arrive();
  document.body.classList.remove("with-side");
  tell("opened", { place: where });
}

/** What every newly shown main pane needs. */
export function arrive() {
  const pane = main.querySelector(".pane");
  document.title = `${pane.dataset.title} · hbot desk`;
  for (const link of document.querySelectorAll(".side a, .tabs a")) {
    const { open: opens, channel: id } = link.dataset;
    const here = opens === pane.dataset.place || (id !== undefined && id === pane.dataset.channel);
    if (here) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  for (const link of document.querySelectorAll(".who .menu a")) {
    const name = link.getAttribute("href").split("/")[2];
    link.href = `/w/${name}/${pane.dataset.place.startsWith("D0") ? "home" : pane.dataset.place}`;
  }
  clearUnread(pane.dataset.channel);
  settle(main);
  unreadLine();
  toEnd(main);
  if (pane.dataset.place === "home") act("open_home").catch((error) => toast(error.message));
  const wanted = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (wanted) wanted.scrollIntoView({ block: "center" });
}

export async function openThread(ts, { push = true, where = place() } = {}) {
  try {
    threadBox.innerHTML = await fetchPane(`thread/${encodeURIComponent(where)}/${ts}`);
  } catch (error) {
    toast(error.message);
    return;
  }
  threadBox.hidden = false;
  document.body.classList.add("with-thread");
  document.body.classList.remove("with-panel");
  if (push) history.replaceState({ place: where }, "", `/w/${user}/${where}?thread=${ts}`);
  settleThread();
  const typing = matchMedia("(min-width: 761px)").matches ? "textarea" : ".close-thread";
  threadBox.querySelector(typing)?.focus({ preventScroll: true });
}

export function settleThread() {
  if (threadBox.hidden) return;
  settle(threadBox);
  toEnd(threadBox);
}

export function closeThread({ push = true } = {}) {
  if (threadBox.hidden) return;
  const ts = openThreadTs();
  threadBox.hidden = true;
  threadBox.replaceChildren();
  document.body.classList.remove("with-thread");
  if (push) {
    history.replaceState({ place: place() }, "", `/w/${user}/${place()}`);
    main.querySelector(`[data-thread="${ts}"]`)?.focus({ preventScroll: true });
  }
}

/** Put a message into a list, in its place by time, or over its older self. */
function put(box, html, fresh) {
  const list = box.querySelector(".messages");
  const item = parse(html);
  const known = list.querySelector(`:scope > [data-ts="${item.dataset.ts}"]`);
  if (known) {
    keepLine(known, item);
    const focus = known.contains(document.activeElement) ? document.activeElement.dataset.action : "";
    known.replaceWith(item);
    if (focus) item.querySelector(`[data-action="${CSS.escape(focus)}"]`)?.focus({ preventScroll: true });
    if (!fresh) flash(item);
  } else if (fresh) {
    const later = [...list.children].reverse().find((each) => !each.dataset.ts || each.dataset.ts < item.dataset.ts);
    if (later) later.after(item);
    else list.prepend(item);
  }
  const area = scroller(box);
  const newest = box.querySelector(".newest");
  if (atEnd.get(area)) toEnd(box);
  else if (fresh && newest) newest.hidden = false;
  return item;
}

function keepLine(old, item) {
  const line = old.querySelector(".unread-line");
  if (line) item.querySelector("article").before(line);
}

function flash(item) {
  item.classList.add("flash");
  setTimeout(() => item.classList.remove("flash"), 1700);
}

/** Take in one change of a message from the live connection. */
export function take(note) {
  const here = note.channel === channel();
  const fresh = note.kind === "posted";
  if (note.html && here && main.querySelector(".messages")) put(main, note.html, fresh);
  if (note.reply && note.thread === openThreadTs() && note.channel === threadBox.querySelector(".pane").dataset.channel) {
    put(threadBox, note.reply, fresh);
    countReplies();
  }
  if (fresh && note.html && !note.mine) {
    if (here && !document.hidden) markRead(note.channel);
    else countUnread(note.channel);
  }
}

export function remove(note) {
  for (const item of document.querySelectorAll(`.message[data-channel="${note.channel}"][data-ts="${note.ts}"]`)) item.remove();
  countReplies();
}

function countReplies() {
  const label = threadBox.querySelector(".count span");
  const count = threadBox.querySelectorAll(".messages > .message").length - 1;
  if (label) label.textContent = `${count} ${count === 1 ? "reply" : "replies"}`;
}

function countUnread(id) {
  const link = document.querySelector(`.side a[data-channel="${id}"]`);
  if (!link) return;
  const badge = link.querySelector(".badge");
  badge.textContent = String(Number(badge.textContent || 0) + 1);
  link.classList.add("unread");
}

export function clearUnread(id) {
  const link = id && document.querySelector(`.side a[data-channel="${id}"]`);
  if (!link) return;
  link.querySelector(".badge").textContent = "";
  link.classList.remove("unread");
  markRead(id);
}

/** Show the Home tab anew when the app published it. */
export function takeHome(html) {
  if (place() !== "home") return;
  const top = scroller(main)?.scrollTop ?? 0;
  main.innerHTML = html;
  settle(main);
  atEnd.set(scroller(main), false);
  scroller(main).scrollTop = top;
}

/** After a gap in the live connection: load again what is on the screen. */
export async function reload() {
  const area = scroller(main);
  const end = area ? atEnd.get(area) : true;
  const top = area?.scrollTop ?? 0;
  const thread = openThreadTs();
  main.innerHTML = await fetchPane(`pane/${encodeURIComponent(place())}`);
  arrive();
  if (!end && scroller(main)) scroller(main).scrollTop = top;
  if (thread) await openThread(thread, { push: false });
}
