// Reading what is entered: one value for each kind of input, as the control API takes it.

/** Return the value of an element that carries data-type. */
export function valueOf(field) {
  const checked = () => [...field.querySelectorAll("input:checked")].map((box) => box.value);
  switch (field.dataset.type) {
    case "checkboxes":
    case "multi_static_select":
    case "multi_users_select":
      return checked();
    case "radio_buttons":
      return checked()[0] ?? null;
    case "datetimepicker":
      return field.value ? Math.round(new Date(field.value).getTime() / 1000) : null;
    default:
      return field.value || null;
  }
}

/** Return every input of a form. */
export function entriesOf(form) {
  return [...form.querySelectorAll("[data-field]")].map((field) => ({
    block_id: field.dataset.block,
    action_id: field.dataset.action,
    value: valueOf(field),
  }));
}

/** Put entered values back into a form that was rendered anew. */
export function restore(form, entries) {
  for (const { block_id, action_id, value } of entries) {
    const field = form.querySelector(`[data-field][data-block="${CSS.escape(block_id)}"][data-action="${CSS.escape(action_id)}"]`);
    if (!field) continue;
    if (field.matches("input, textarea, select")) {
      if (field.dataset.type !== "datetimepicker") field.value = value ?? "";
    } else {
      const chosen = new Set([value ?? []].flat());
      for (const box of field.querySelectorAll("input")) box.checked = chosen.has(box.value);
    }
  }
}

/** Keep the count of a multiple choice and of a limited text up to date. */
export function watch(root) {
  root.addEventListener("change", (event) => {
    const many = event.target.closest(".many");
    if (!many) return;
    const count = many.querySelectorAll("input:checked").length;
    many.querySelector("summary").textContent = count ? `${count} selected` : "Select options";
  });
  root.addEventListener("input", (event) => {
    const most = Number(event.target.dataset?.most);
    if (!most) return;
    let counter = event.target.parentElement.parentElement.querySelector(".counter");
    if (!counter) {
      counter = document.createElement("span");
      counter.className = "counter";
      event.target.parentElement.after(counter);
    }
    const left = most - event.target.value.length;
    counter.textContent = left < 0 ? `${-left} over` : `${left} left`;
    counter.classList.toggle("over", left < 0);
  });
}
