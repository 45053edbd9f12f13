/** A receipt that is being sealed looks again by itself for a while, and shows the seal once it is there. */

const PAUSE = 5_000;
const TIMES = 36;

/** Take over the parts that the seal changes. Who had the focus on "Look again" finds it on what stands there now. */
function show(fresh) {
  for (const part of document.querySelectorAll("[data-part]")) {
    const next = fresh.querySelector(`[data-part="${part.dataset.part}"]`);
    if (!next) continue;
    const focused = part.contains(document.activeElement);
    part.toggleAttribute("data-sealing", next.hasAttribute("data-sealing"));
    part.replaceChildren(...document.importNode(next, true).childNodes);
    if (focused) part.querySelector("a, button")?.focus();
  }
}

async function look() {
  try {
    const answer = await fetch(location.pathname, { headers: { Accept: "text/html" } });
    if (!answer.ok || answer.redirected) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (fresh.querySelector("[data-part]") && !fresh.querySelector("[data-sealing]")) show(fresh);
  } catch {
    // No connection: the next time, perhaps.
  }
}

document.addEventListener("click", ({ target }) => {
  if (target.closest("[data-print]")) print();
});

for (let time = 0; time < TIMES && document.querySelector("[data-sealing]"); time += 1) {
  await new Promise((resolve) => setTimeout(resolve, PAUSE));
  if (!document.hidden) await look();
}
