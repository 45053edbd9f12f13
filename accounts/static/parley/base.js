/** What every page shares: disclosures close as menus do, toasts leave by themselves. Nothing here is needed to use a page. */

const TOAST_SECONDS = 10;
const TOAST_SECONDS_TO_ACT = 20;

function closeMenus(except) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(except)) menu.open = false;
  }
}

document.addEventListener("click", (event) => closeMenus(event.target));

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const open = document.activeElement?.closest("details.menu[open]") ?? document.querySelector("details.menu[open]");
  if (!open) return;
  // The drawer that the menu is in stays: one Escape, one step back.
  event.preventDefault();
  open.open = false;
  open.querySelector("summary").focus();
});

/** A toast leaves after a while, but not while somebody points at it or has the focus in it. */
function keepToast(toast) {
  let remaining = toast.querySelector("a, form") ? TOAST_SECONDS_TO_ACT : TOAST_SECONDS;
  const clock = setInterval(() => {
    if (toast.matches(":hover, :focus-within")) return;
    remaining -= 1;
    if (remaining > 0) return;
    clearInterval(clock);
    toast.remove();
  }, 1000);
  toast.querySelector("[data-dismiss]")?.addEventListener("click", () => {
    clearInterval(clock);
    toast.remove();
  });
}

/** Say something that just happened, at the foot of the page. Other modules ask by an event, so that none imports this one. */
document.addEventListener("parley:toast", ({ detail: text }) => {
  const template = document.getElementById("toast-template");
  const element = template.content.firstElementChild.cloneNode(true);
  element.querySelector("p").textContent = text;
  document.getElementById("toasts").append(element);
  keepToast(element);
});

document.addEventListener("parley:toast-added", ({ detail: element }) => keepToast(element));

for (const element of document.querySelectorAll(".toast")) keepToast(element);

/** Whoever begins to write, or asks, has seen what was said. What offers to take something back keeps its time. */
function sendToastsAway({ target }) {
  if (!target.matches("textarea, form:has(textarea)")) return;
  for (const element of document.querySelectorAll(".toast:not([data-stays], :hover, :focus-within)")) element.remove();
}

document.addEventListener("input", sendToastsAway);
document.addEventListener("submit", sendToastsAway);

// The drawer of narrow windows is a popover; on a wide one it is a plain column and must leave the top layer.
const wide = matchMedia("(min-width: 56rem)");
wide.addEventListener("change", () => {
  for (const drawer of document.querySelectorAll("[popover]:popover-open")) drawer.hidePopover();
});

// After a refused form the first wrong field, or the summary of errors, is where the person wants to be.
document.querySelector("[data-focus], [aria-invalid='true']")?.focus();

// Sign-up remembers in which hours somebody lives; the profile can say otherwise.
for (const field of document.querySelectorAll('input[type="hidden"][name="time_zone"]')) {
  field.value ||= Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
}
