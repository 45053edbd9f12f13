/** Fetching this page again and taking over what has changed: the list, the head, the notices, the transcript. */

const PAUSE = 120;

export class Refresh {
  #merge;
  #timer = 0;
  #running = false;
  #again = false;
  #away = false;

  /** `merge` gets the fresh page's document. */
  constructor(merge) {
    this.#merge = merge;
  }

  /** Soon, and once for many calls. */
  soon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#now(), PAUSE);
  }

  /** The page is about to be left for another one, or is not after all: what is fetched meanwhile must not hold it back. */
  leaving(away) {
    this.#away = away;
  }

  async #now() {
    if (this.#away) return;
    if (this.#running) {
      this.#again = true;
      return;
    }
    this.#running = true;
    const { address } = document.body.dataset;
    try {
      const response = await fetch(address, { headers: { Accept: "text/html" } });
      if (this.#away) return;
      if (response.redirected || response.status === 404) location.reload();
      else if (response.ok && address === document.body.dataset.address) {
        this.#merge(new DOMParser().parseFromString(await response.text(), "text/html"));
      }
    } catch {
      // No connection: the next reconnection asks again.
    } finally {
      this.#running = false;
      if (this.#again) {
        this.#again = false;
        this.soon();
      }
    }
  }
}

/** Replace the element `id` of this page by that of `fresh`, unless somebody is at work in it. */
export function swap(fresh, id) {
  const [now, next] = [document.getElementById(id), fresh.getElementById(id)];
  if (!now || !next || now.contains(document.activeElement) || now.querySelector("details[open]")) return;
  if (now.outerHTML === next.outerHTML) return;
  const copy = document.importNode(next, true);
  // Parsed without scripts, their content would be shown.
  for (const element of copy.querySelectorAll("noscript")) element.remove();
  now.replaceWith(copy);
}
