/** Keeps an open page that only says what applies true: when that may have changed elsewhere, its content is taken anew. */

const PAUSE = 150;
let timer = 0;
let looks = 0;

async function look() {
  const turn = ++looks;
  try {
    const response = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (response.redirected || response.status === 404) location.reload(); // signed out, or deleted
    if (response.redirected || !response.ok) return;
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html").getElementById("main");
    if (turn !== looks) return; // a later look has begun, and sees more
    const here = document.getElementById("main");
    if (here.querySelector(":checked")) return; // somebody is picking; what they do is judged anew by the server
    if (fresh.textContent !== here.textContent) here.replaceChildren(...document.importNode(fresh, true).childNodes);
  } catch {
    // No connection: the next one asks again.
  }
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(look, PAUSE);
}

document.addEventListener("parley:standing", soon);
document.addEventListener("visibilitychange", () => document.hidden || soon());
addEventListener("pageshow", (event) => event.persisted && soon());
