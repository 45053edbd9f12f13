/**
 * One answer that is being written. Pieces are put on the page once per frame, as they came and in their order: the
 * text held here is, character for character, what the server has said so far.
 */

import { writer } from "./markdown.js";

/** Steps read "attempt-step"; a later attempt outranks every step of an earlier one. */
function isAfter(step, other) {
  if (!other) return true;
  const [attempt, number] = step.split("-").map(Number);
  const [otherAttempt, otherNumber] = other.split("-").map(Number);
  return attempt > otherAttempt || (attempt === otherAttempt && number > otherNumber);
}

export class Live {
  text = "";
  step = null;
  #body;
  #waiting = "";
  #scheduled = false;
  #writer;
  #drawn;

  /** `drawn` is called after the page has changed. */
  constructor(body, drawn = () => {}) {
    this.#body = body;
    this.#drawn = drawn;
    this.#writer = null;
  }

  get body() {
    return this.#body;
  }

  piece({ step, text, whole }) {
    if (step && !isAfter(step, this.step) && !(whole && step === this.step)) return;
    this.step = step ?? this.step;
    if (whole) this.#restart(text);
    else this.#add(text);
  }

  /** The whole text as the database has it: the last word, whatever was shown. */
  finish(text) {
    if (text !== this.text) this.#restart(text);
    this.#draw();
    this.#writer?.end();
    this.#writer = null;
  }

  #restart(text) {
    if (text === this.text && this.#writer) return;
    if (this.#writer && text.startsWith(this.text)) {
      this.#add(text.slice(this.text.length));
      return;
    }
    this.text = "";
    this.#waiting = "";
    this.#body.replaceChildren();
    this.#body.classList.remove("as-written");
    this.#writer = writer(this.#body);
    this.#add(text);
  }

  #add(text) {
    if (!this.#writer) {
      this.#restart(this.text + text);
      return;
    }
    this.text += text;
    this.#waiting += text;
    if (this.#scheduled) return;
    this.#scheduled = true;
    // Frames are not drawn in a hidden tab, yet its text must be whole when somebody comes back.
    if (document.hidden) setTimeout(() => this.#draw(), 200);
    else requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    this.#scheduled = false;
    if (!this.#waiting || !this.#writer) return;
    this.#writer.write(this.#waiting);
    this.#waiting = "";
    this.#drawn();
  }
}
