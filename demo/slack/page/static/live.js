// The live connection: what happens in the workspace arrives here, already as HTML.

import { openModal } from "./modal.js";
import { reload, remove, seen, shownVersion, take, takeHome } from "./panes.js";
import { piece, tell, user } from "./workspace.js";

let socket = null;
let wait = 250;
let lost = false;

const state = document.querySelector(".link-state");

/** Tell the server that everything in a channel has been seen. */
export function markRead(channel) {
  if (channel && socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ read: channel }));
}

function receive(note) {
  seen(note.version);
  if (note.kind === "hello") opened(note.version).catch(() => socket.close());
  else if (note.kind === "view") openModal(note.html);
  else if (note.kind === "home") takeHome(note.html);
  else takeMessage(note);
}

function takeMessage(note) {
  if (note.kind === "deleted") remove(note);
  else take(note);
  tell("message", note);
}

/** Load again what changed between the rendering of the page and this connection, or while it was lost. */
async function opened(version) {
  wait = 250;
  state.hidden = true;
  if (lost || version !== shownVersion()) {
    await reload();
    openModal(await piece("modal"));
  }
  lost = false;
  document.body.dataset.live = "yes";
}

/** Connect, and connect again whenever the connection goes. */
export function connect() {
  socket = new WebSocket(`ws://${location.host}/w/${user}/live`);
  socket.addEventListener("message", (event) => receive(JSON.parse(event.data)));
  socket.addEventListener("close", () => {
    lost = true;
    delete document.body.dataset.live;
    state.hidden = false;
    setTimeout(connect, wait);
    wait = Math.min(wait * 2, 5000);
  });
}
