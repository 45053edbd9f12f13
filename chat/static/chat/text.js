/** What finished text gets in the browser: a copy button on code, and a way to scroll wide parts by keyboard. */

export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without TLS there is no clipboard interface.
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "visually-hidden";
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}

/** The words of `body` as they are read, without those that were put beside them: buttons, names of languages. */
export function words(body) {
  const beside = body.querySelectorAll(".copy-code, .code > figcaption");
  for (const element of beside) element.hidden = true;
  const text = body.innerText.trim();
  for (const element of beside) element.hidden = false;
  return text;
}

/** Show for a moment on `button` that its text was copied. */
export function confirmOn(button) {
  const words = document.body.dataset.copied;
  const label = button.querySelector("span");
  const use = button.querySelector("use");
  const before = { text: label?.textContent, href: use.getAttribute("href") };
  use.setAttribute("href", before.href.replace(/#.*/, "#check"));
  if (label) label.textContent = words;
  document.getElementById("status").textContent = words;
  setTimeout(() => {
    use.setAttribute("href", before.href);
    if (label) label.textContent = before.text;
  }, 1500);
}

/** What may be wider than its place. */
const WIDE = [".text pre", ".text .scroll", ".text :not(.scroll) > math[display='block']"]
  .map((selector) => `${selector}:not([tabindex])`)
  .join();

/** Dress the text below `root`. Doing it twice changes nothing. */
export function dress(root) {
  const template = document.getElementById("copy-template");
  for (const figure of root.querySelectorAll("figure.code:not(:has(> .copy-code))")) {
    figure.append(template.content.cloneNode(true));
  }
  for (const wide of root.querySelectorAll(WIDE)) {
    wide.tabIndex = 0;
  }
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.(".copy-code");
  if (!button) return;
  await copy(button.parentElement.querySelector("pre").textContent);
  confirmOn(button);
});
