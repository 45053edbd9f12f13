/** The question as a dialog. The server puts it into the page; this opens it, sends its forms, and takes what comes back. */

const MADE = "Parley-Choice";

function say(text) {
  document.dispatchEvent(new CustomEvent("parley:toast", { detail: text }));
}

/** Nothing but reading follows from opening: the focus is on the heading, where Enter does nothing. */
function open(dialog) {
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
  dialog.querySelector("#question-title").focus();
}

function show(dialog, html) {
  dialog.innerHTML = html;
  (dialog.querySelector("[data-focus]") ?? dialog.querySelector("#question-title")).focus();
}

/** The answer is recorded: the page goes on where it was stopped. */
function recorded(dialog, html) {
  dialog.close();
  dialog.remove();
  const toasts = document.getElementById("toasts");
  toasts.insertAdjacentHTML("beforeend", html);
  document.dispatchEvent(new CustomEvent("parley:toast-added", { detail: toasts.lastElementChild }));
  document.dispatchEvent(new CustomEvent("parley:chosen"));
}

async function send(dialog, form, submitter) {
  const buttons = form.querySelectorAll("button");
  for (const button of buttons) button.disabled = true;
  try {
    const body = new FormData(form, submitter);
    const answer = await fetch(submitter?.getAttribute("formaction") ?? form.getAttribute("action"), {
      method: "POST",
      body,
      headers: { "X-Requested-With": "fetch" },
    });
    const made = answer.headers.get(MADE);
    if (made === "recorded") return recorded(dialog, await answer.text());
    if (made === "deferred") return dialog.close();
    if (answer.redirected || !(answer.ok || answer.status === 422)) return location.assign(dialog.dataset.page);
    show(dialog, await answer.text());
  } catch {
    say(dialog.dataset.sorry);
    for (const button of buttons) button.disabled = false;
  }
}

function bind(dialog) {
  dialog.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-choice]")) return;
    // The buttons are read before they are disabled: which one was pressed is part of the answer.
    event.preventDefault();
    send(dialog, event.target, event.submitter);
  });
  dialog.addEventListener("click", (event) => {
    if (!event.target.closest("[data-close]")) return;
    event.preventDefault();
    dialog.close();
  });
  if (dialog.dataset.asks) open(dialog);
}

/** The way to the question leads nowhere else: what is being written on this page stays in its field. */
document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-asks-here]");
  const dialog = document.getElementById("choice");
  if (!link || !dialog || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  try {
    if (!dialog.querySelector("#question-title")) dialog.innerHTML = await fragment(`${dialog.dataset.page}?source=dialog`);
    open(dialog);
  } catch {
    location.assign(link.href);
  }
});

async function fragment(address) {
  const answer = await fetch(address, { headers: { "X-Requested-With": "fetch" } });
  if (!answer.ok || answer.redirected) throw new Error(answer.status);
  return answer.text();
}

/** A fresher page says that nothing is asked any more, or asks where this one did not. What is being read stays. */
document.addEventListener("parley:refreshed", ({ detail: fresh }) => {
  const here = document.getElementById("choice");
  const there = fresh.getElementById("choice");
  if (!there) {
    if (here?.open) say(here.dataset.said);
    here?.close();
    here?.remove();
  } else if (!here || (!here.open && here.dataset.asks !== there.dataset.asks)) {
    here?.remove();
    document.body.append(document.adoptNode(there));
    bind(there);
  }
});

const dialog = document.getElementById("choice");
if (dialog) bind(dialog);
