/** Thumbs: the press is stored at once; the form to say more opens under the answer. Without JavaScript it is a page. */

/** Post in the background; `answer` is the response, or null where there was none. */
async function post(address, body, accept) {
  const headers = { Accept: accept, "X-Requested-With": "fetch" };
  try {
    return await fetch(address, { method: "POST", headers, body });
  } catch {
    return null;
  }
}

function thumbs(article) {
  return [...article.querySelectorAll('[data-act="thumb"]')];
}

function press(article, value) {
  for (const button of thumbs(article)) button.setAttribute("aria-pressed", String(button.value === value));
}

/** `toast` says what happened, `refresh` fetches the page anew. Returns what a press of a thumb does. */
export function bindFeedback(toast, refresh) {
  const { sorry } = document.body.dataset;

  async function thumb(button, article, event) {
    event.preventDefault();
    const body = new FormData(document.getElementById("act"));
    body.set("thumb", button.value);
    const response = await post(button.formAction, body, "text/html");
    if (!response?.ok || response.redirected) return toast(await why(response));
    press(article, button.value);
    show(article, await response.text());
  }

  /** The form, in place of one that was open there. The focus goes to its heading, or to what is wrong in it. */
  function show(article, html) {
    article.querySelector("[data-feedback]")?.remove();
    const holder = document.createElement("template");
    holder.innerHTML = html;
    const form = document.importNode(holder.content.querySelector("[data-feedback]"), true);
    article.querySelector(".acts").after(form);
    (form.querySelector('[role="alert"], [data-focus], [aria-invalid="true"]') ?? form.querySelector("h3")).focus();
    form.scrollIntoView({ block: "nearest" });
  }

  async function why(response) {
    if (!response?.headers.get("Content-Type")?.includes("json")) return sorry;
    return (await response.json()).error?.message ?? sorry;
  }

  async function send(event) {
    event.preventDefault();
    const { target: form, submitter } = event;
    const article = form.closest("article");
    const address = submitter?.getAttribute("formaction") ?? form.action; // the property would be the page's address
    const response = await post(address, new FormData(form), "application/json, text/html;q=0.9");
    if (!response || response.redirected) return toast(sorry);
    const json = response.headers.get("Content-Type")?.includes("json");
    if (!json) return response.status < 500 ? show(article, await response.text()) : toast(sorry);
    const said = await response.json();
    if (response.ok || response.status === 409) close(form);
    refresh();
    toast(said.said ?? said.error?.message ?? sorry);
  }

  function close(form) {
    const article = form.closest("article");
    const pressed = thumbs(article).find((button) => button.value === form.dataset.thumb);
    form.remove();
    pressed?.focus();
  }

  document.addEventListener("submit", (event) => {
    if (event.target.matches("article [data-feedback]")) send(event);
  });

  document.addEventListener("reset", (event) => {
    if (event.target.matches("article [data-feedback]")) close(event.target);
  });

  document.addEventListener("keydown", (event) => {
    const form = event.key === "Escape" && event.target.closest?.("article [data-feedback]");
    if (form) close(form);
  });

  return thumb;
}
