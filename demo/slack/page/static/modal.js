// The app's modal: a native dialog, so focus stays inside and Esc closes it.

import { entriesOf, restore, watch } from "./fields.js";
import { act, parse, toast } from "./workspace.js";

const dialog = document.getElementById("modal");
let before = null;

const form = () => dialog.querySelector("form.view");

/** Show the modal the server rendered, or close when it is empty. What was typed and not sent stays. */
export function openModal(html) {
  const old = form();
  const next = html ? parse(html) : null;
  if (!next) {
    dialog.replaceChildren();
    if (dialog.open) dialog.close();
    before?.isConnected && before.focus({ preventScroll: true });
    before = null;
    return;
  }
  const same = old && old.dataset.view === next.dataset.view;
  const focus = same ? document.activeElement?.id : "";
  const top = same ? dialog.querySelector(".view-body").scrollTop : 0;
  const typed = same ? entriesOf(old) : [];
  dialog.replaceChildren(next);
  restore(next, typed);
  if (!dialog.open) {
    before = document.activeElement;
    dialog.showModal();
  }
  dialog.querySelector(".view-body").scrollTop = top;
  place(next, focus);
}

/** Put the focus on what is wrong, on what had it, or on the first input; only what is wrong is scrolled to:
 *  whoever opens a plan begins at its top. */
function place(view, focus) {
  const wrong = view.querySelector(".invalid input, .invalid textarea, .invalid select, .invalid summary");
  const had = focus && document.getElementById(focus);
  const first = view.querySelector("[autofocus]") ?? view.querySelector(".view-body :is(input, textarea, select):not([type=hidden])");
  const place = wrong || had || first || view.querySelector(".submit") || view.querySelector("footer .cancel");
  place.focus({ preventScroll: !wrong });
}

async function submit() {
  const view = form();
  const button = view.querySelector(".submit");
  if (button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  try {
    await act("submit", { entries: entriesOf(view) });
  } catch (error) {
    toast(error.message);
  } finally {
    button.removeAttribute("aria-busy");
  }
}

async function cancel() {
  try {
    await act("close");
  } catch {
    openModal("");
  }
}

export function start() {
  watch(dialog);
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    cancel();
  });
  dialog.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  dialog.addEventListener("click", (event) => {
    if (event.target.closest(".cancel")) cancel();
  });
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit();
  });
  if (form()) {
    const html = form().outerHTML;
    openModal(html);
  }
}
