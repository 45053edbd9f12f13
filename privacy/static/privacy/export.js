/** While the file of one's data is being made, the page says how far it is, and shows what to do once it is there. */

const PAUSE = 2_000;
const LONGEST = 15_000;
const section = document.getElementById("export");
const numbers = new Intl.NumberFormat(document.documentElement.lang);

/** Bar and figures; whoever listens hears nothing of it until something else is to be said. */
function show({ done, total }) {
  const bar = section.querySelector("progress");
  const said = section.querySelector("[data-numbers]");
  if (!bar || !total) return;
  bar.max = total;
  bar.value = done;
  said.textContent = said.dataset.numbers.replace("{done}", numbers.format(done)).replace("{total}", numbers.format(total));
}

/** The section as the server has it now. Who had the focus in it finds it on its heading. */
async function renew() {
  const answer = await fetch(location.pathname, { headers: { Accept: "text/html" } });
  if (!answer.ok || answer.redirected) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("export");
  if (!fresh) return;
  const focused = section.contains(document.activeElement);
  section.dataset.state = fresh.dataset.state;
  section.replaceChildren(...document.importNode(fresh, true).childNodes);
  if (focused) document.getElementById("file").focus({ preventScroll: true });
}

async function look() {
  const answer = await fetch(section.dataset.progress, { headers: { Accept: "application/json" } });
  if (answer.redirected) return location.reload(); // signed out
  if (!answer.ok) return;
  const now = await answer.json();
  if (now.state === "making") show(now);
  else await renew();
}

for (let pause = PAUSE; section.dataset.state === "making"; pause = Math.min(pause * 1.05, LONGEST)) {
  await new Promise((resolve) => setTimeout(resolve, pause));
  if (document.hidden) continue;
  try {
    await look();
  } catch {
    // No connection: the next time, perhaps.
  }
}
