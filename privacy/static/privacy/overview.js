/**
 * Keeps an open privacy page true: when the person has answered elsewhere, on whatever device, it shows what stands now.
 * Its form could do no harm, for the server refuses what was put beside another answer; but nobody should read what no
 * longer holds.
 */

const PAUSE = 150;
/** After so long a form that was sent has led to no other page. */
const STAYED = 10_000;
const page = document.getElementById("overview");
let timer = 0;
let looks = 0;
let leaving = false;

function say(text) {
  document.dispatchEvent(new CustomEvent("parley:toast", { detail: text }));
}

/** The content as the server has it now; null where it cannot be had. */
async function fetched() {
  const response = await fetch(page.dataset.address, { headers: { "X-Requested-With": "fetch" } });
  if (response.redirected && !leaving) location.reload(); // signed out
  if (response.redirected || !response.ok) return null;
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

const standing = (root) => root.querySelector("#applies").dataset;

/** Take over the whole content. Where somebody was in the form, they are now at its heading. */
function replace(fresh) {
  const inForm = document.getElementById("change").contains(document.activeElement);
  const { stands, answer } = standing(page);
  page.replaceChildren(...[...fresh.body.children].map((section) => document.importNode(section, true)));
  if (inForm) document.getElementById("change-title").focus({ preventScroll: true });
  if (stands !== standing(page).stands) say(answer === standing(page).answer ? page.dataset.changed : page.dataset.elsewhere);
}

/** What stands is the same: only counts, lists and sentences may differ, and whoever is choosing is not disturbed. */
function renew(fresh) {
  const form = page.querySelector("form");
  const busy = form.contains(document.activeElement) || [...form.elements].some((field) => field.checked !== field.defaultChecked);
  const ids = (parent) => [...parent.children].map((section) => section.id).join();
  if (ids(fresh.body) !== ids(page)) return replace(fresh); // somebody has joined a workspace, or left one
  for (const section of fresh.body.children) {
    const here = document.getElementById(section.id);
    const mine = here.contains(document.activeElement) || (busy && here.contains(form));
    // The form's tokens are not to be seen, and grow old.
    const differs = here.contains(form) || here.textContent !== section.textContent;
    if (!mine && differs) here.replaceWith(document.importNode(section, true));
  }
}

async function look() {
  if (leaving) return;
  const turn = ++looks;
  try {
    const fresh = await fetched();
    if (!fresh || leaving || turn !== looks) return; // a later look has begun, and sees more
    if (standing(fresh).stands === standing(page).stands) renew(fresh);
    else replace(fresh);
  } catch {
    // No connection: the next one asks again.
  }
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(look, PAUSE);
}

// This tab's own answer comes with the page that follows it, if one does.
document.addEventListener("submit", () => {
  leaving = true;
  setTimeout(() => (leaving = false), STAYED);
});
document.addEventListener("parley:standing", soon);
document.addEventListener("visibilitychange", () => document.hidden || soon());
addEventListener("pageshow", (event) => {
  leaving = false;
  if (event.persisted) soon();
});
