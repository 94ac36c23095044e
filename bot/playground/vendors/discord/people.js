// A person's hands in Discord's own client, for a page that shows this stand-in: forms, and choices while one types.
// Nothing here knows the page around it; a message's buttons and menus are the page's own to wire.

const HERE = new URL(".", import.meta.url); // …/_play/

async function post(path, body) {
  const response = await fetch(new URL(path, HERE), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

/**
 * Show the form that an act's answer brought (`modal_html`), over everything else. `root` has the class "discord".
 * Gives what came of sending it, or null if it was closed. A form that opens another is followed until the last.
 */
export async function showForm(root, user, opened) {
  const dialog = document.createElement("dialog");
  dialog.className = "dc-dialog";
  dialog.append(document.createRange().createContextualFragment(opened.modal_html)); // escaped by the stand-in
  root.append(dialog);
  const form = dialog.querySelector("form");
  const sent = new Promise((resolve) => {
    const leave = async (answer) => {
      if (answer === null) await post("close", { user, interaction: opened.id }).catch(() => null);
      dialog.remove();
      resolve(answer);
    };
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault(); // Escape
      leave(null);
    });
    form.querySelector("[data-cancel]").addEventListener("click", () => leave(null));
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const fault = form.querySelector(".dc-modal-fault");
      fault.textContent = "";
      form.setAttribute("aria-busy", "true");
      try {
        const answer = await post("submit", { user, interaction: opened.id, values: entered(form) });
        if (answer.status !== "failed") return leave(answer);
        fault.textContent = "Something went wrong. Try again.";
      } catch (error) {
        fault.textContent = error.message;
      } finally {
        form.removeAttribute("aria-busy");
      }
    });
  });
  dialog.showModal();
  return sent;
}

/** What stands in a form, by custom id: text, or a list of what was chosen. */
function entered(form) {
  const values = {};
  for (const input of form.elements) {
    if (!input.name) continue;
    if (input.matches("select")) values[input.name] = [...input.selectedOptions].map((one) => one.value).filter(Boolean);
    else if (input.matches("[type=checkbox], [type=radio]")) {
      values[input.name] ??= [];
      if (input.checked) values[input.name].push(input.value);
    } else values[input.name] = input.value;
  }
  return values;
}

/**
 * Offer choices below `input` while `asked(text)` says which option is being typed. It gives null, or
 * { user, channel, command, options, focused, accept }: `accept(choice)` writes the choice into the input.
 */
export function offerChoices(input, asked) {
  const list = document.createElement("ul");
  list.className = "dc-choices";
  list.hidden = true;
  input.after(list);
  let newest = 0;
  const hide = () => {
    list.hidden = true;
    list.replaceChildren();
  };
  const refresh = async () => {
    const turn = (newest += 1);
    const typing = await asked(input.value);
    if (!typing) return hide();
    const { accept, ...body } = typing;
    const { choices } = await post("complete", body).catch(() => ({ choices: null }));
    if (turn !== newest) return; // something newer is being asked
    list.replaceChildren(
      ...(choices ?? []).map((choice) => {
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = choice.name;
        button.addEventListener("click", () => {
          accept(choice);
          hide();
          input.focus();
        });
        const item = document.createElement("li");
        item.append(button);
        return item;
      }),
    );
    list.hidden = !choices?.length;
  };
  input.addEventListener("input", refresh);
  input.form?.addEventListener("submit", () => {
    newest += 1;
    hide();
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hide();
  });
}
