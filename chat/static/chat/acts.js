/** Acts on what is there: buttons of messages, edits, rename, delete. Without a connection each is a plain form. */

import { LONGEST } from "./composer.js";
import { bindFeedback } from "./feedback.js";
import { confirmOn, copy, words } from "./text.js";

/** Post `form` or a button's address in the background; says whether the server did it. */
async function post(address, body) {
  try {
    const response = await fetch(address, { method: "POST", headers: { Accept: "application/json" }, body });
    return response.ok;
  } catch {
    return false;
  }
}

function token() {
  return new FormData(document.getElementById("act"));
}

export function toast(text) {
  document.dispatchEvent(new CustomEvent("parley:toast", { detail: text }));
}

/**
 * `page` gives: socket, transcript, `failed(request, show)` to hear of a refusal, `refresh()`, `leaving(away)`.
 */
export function bindActs(page) {
  const { socket, transcript } = page;
  const sorry = document.body.dataset.sorry;
  const thumb = bindFeedback(toast, page.refresh);

  const byAct = {
    copy(button, article) {
      const live = transcript.live.get(article.dataset.message);
      copy(live?.text ?? words(article.querySelector("[data-body]")));
      confirmOn(button);
    },
    regenerate: ask,
    retry: ask,
    continue: ask,
    thumb,
    async branch(button) {
      if (await post(button.formAction, token())) page.refresh();
      else toast(sorry);
    },
  };

  function ask(button, article, event) {
    if (!socket.up) return;
    event.preventDefault();
    const request = socket.ask({ type: button.dataset.act, message: article.dataset.message });
    button.disabled = true;
    page.failed(request, (message) => {
      button.disabled = false;
      toast(message);
    });
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-act], #stop, [data-delete], [data-keeps], [data-puts-away]");
    if (!button) return;
    if (button.id === "stop") stop(button, event);
    else if ("delete" in button.dataset) remove(button, event);
    else if ("keeps" in button.dataset) keep(button, event);
    else if ("putsAway" in button.dataset) putAway(button, event);
    else {
      if (button.dataset.act === "branch") event.preventDefault();
      byAct[button.dataset.act](button, button.closest("article"), event);
    }
  });

  function stop(button, event) {
    if (socket.say({ type: "stop", message: button.dataset.message })) event.preventDefault();
  }

  /** Keep, or let go. The head is made anew, so the focus goes back to the badge that now says what holds. */
  async function keep(button, event) {
    event.preventDefault();
    const { keeps } = button.dataset;
    if (!(await post(button.formAction, token()))) return toast(sorry);
    button.closest("details").open = false;
    document.activeElement?.blur();
    document.addEventListener("parley:refreshed", () => document.querySelector(".badge summary")?.focus(), { once: true });
    page.refresh();
    toast(keeps);
  }

  /** In the background, for a page that is left loses what is being written. */
  async function putAway(button, event) {
    event.preventDefault();
    if (!(await post(button.formAction, token()))) return toast(sorry);
    const list = button.closest("nav");
    button.parentElement.remove();
    list.querySelector("a")?.focus();
  }

  async function remove(button, event) {
    event.preventDefault();
    page.leaving(true);
    if (await post(button.formAction, token())) {
      location.assign(`${document.body.dataset.home}?deleted=${document.body.dataset.conversation}`);
    } else {
      page.leaving(false);
      toast(sorry);
    }
  }

  document.addEventListener("submit", (event) => {
    if (event.target.matches("[data-edit]")) edit(event);
    else if (event.target.matches(".rename")) rename(event);
  });

  function edit(event) {
    const form = event.target;
    if (!socket.up || form.elements.text.value.length > LONGEST) return;
    event.preventDefault();
    const problem = form.querySelector("[data-edit-error]");
    const message = form.closest("article").dataset.message;
    const request = socket.ask({ type: "edit", message, text: form.elements.text.value });
    problem.hidden = true;
    page.failed(request, (sentence) => {
      problem.textContent = sentence;
      problem.hidden = false;
    });
  }

  async function rename(event) {
    event.preventDefault();
    const form = event.target;
    const field = form.elements.title;
    if (await post(form.action, new FormData(form))) {
      field.defaultValue = field.value;
      field.blur();
      page.refresh();
    } else toast(sorry);
  }

  document.addEventListener("focusout", (event) => {
    const field = event.target;
    if (!field.matches(".rename input") || event.relatedTarget?.closest(".rename")) return;
    if (field.value.trim() && field.value !== field.defaultValue) field.form.requestSubmit();
    else field.value = field.defaultValue;
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    if (event.target.matches(".rename input")) {
      event.target.value = event.target.defaultValue;
      event.target.blur();
    }
    const editor = event.target.closest("details.edit");
    if (editor) close(editor);
  });

  document.addEventListener("reset", (event) => {
    const editor = event.target.closest("details.edit");
    if (editor) close(editor);
  });

  // Opening the editor leads into it, with the words one wants to change at hand.
  document.addEventListener("toggle", ({ target }) => target.matches("details.edit[open]") && target.querySelector("textarea").focus(), true);

  function close(editor) {
    editor.open = false;
    editor.querySelector("summary").focus();
  }
}
