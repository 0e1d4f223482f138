// Who is looking, and how the page speaks to the server.

export const user = document.body.dataset.user;
export const userId = document.body.dataset.userId;

/** Run one verb of the control API as this page's user; throws with the server's reason. */
export async function act(verb, values = {}) {
  const answer = await fetch(`/_control/${verb}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ user, ...values }),
  });
  const body = await answer.json();
  if (!body.ok) throw new Error(body.error);
  return body;
}

/** Fetch a piece of the page below /w/{user}/ as HTML. */
export async function piece(path) {
  const answer = await fetch(`/w/${user}/${path}`);
  if (!answer.ok) throw new Error(await answer.text());
  return answer.text();
}

/** Parse HTML the server rendered (it is escaped there) into its first element. */
export function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html.trim();
  return template.content.firstElementChild;
}

/** Say something for a few seconds. */
export function toast(text, seconds = 5) {
  const box = document.createElement("div");
  box.className = "toast";
  box.textContent = text;
  document.querySelector(".toasts").append(box);
  setTimeout(() => box.remove(), seconds * 1000);
}

/** Tell the rest of the page, and the panel, that something happened. */
export function tell(kind, detail) {
  document.dispatchEvent(new CustomEvent(`workspace:${kind}`, { detail }));
}

export function on(kind, listener) {
  document.addEventListener(`workspace:${kind}`, (event) => listener(event.detail));
}
