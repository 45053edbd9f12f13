/**
 * Where questions are written. What was written stays in the field, and nowhere else, until the server has stored it;
 * where there is no connection the form is sent as any form is.
 */

import { uuid } from "./socket.js";

const PATIENCE = 6000;
/** Longer texts go by the form: a connection ends at a frame that is too big, a form comes back with the reason. */
export const LONGEST = 40_000;
const NOBODY = "00000000-0000-0000-0000-000000000000";

export class Composer {
  #form;
  #socket;
  #field;
  #error;
  #timer = 0;
  /** The request that is under way. */
  #request = null;

  constructor(form, socket) {
    this.#form = form;
    this.#socket = socket;
    this.#field = form.elements.text;
    this.#error = form.querySelector("#composer-error");
    this.#field.addEventListener("keydown", (event) => this.#key(event));
    this.#field.addEventListener("input", () => this.#grow());
    form.addEventListener("submit", (event) => this.#submit(event));
    this.#grow();
  }

  get busy() {
    return this.#request !== null;
  }

  /** Write into the conversation `id` from now on. */
  open(id) {
    this.#form.elements.conversation.value = id;
  }

  /** Reply to `message` from now on. */
  replyTo(message) {
    this.#form.elements.parent.value = message ?? "";
  }

  /** The server has stored the question: now the field may be emptied. Says whether it was this composer's. */
  stored(request) {
    if (request !== this.#request) return false;
    this.#rest();
    this.#field.value = "";
    this.#grow();
    this.say(null);
    return true;
  }

  /** The server refused: the text stays, the reason stands above it. Says whether it was this composer's. */
  refused({ request, message, choice_url: choice }) {
    if (request !== this.#request) return false;
    this.#rest();
    this.say(message, choice);
    this.#field.focus();
    return true;
  }

  /** Show `sentence` above the field; none hides it. */
  say(sentence, choice) {
    this.#error.hidden = !sentence;
    this.#error.querySelector("p").textContent = sentence ?? "";
    const link = this.#error.querySelector("a");
    link.hidden = !choice;
    if (choice) link.href = choice;
  }

  /** What the gate stopped can be sent now, if whoever wrote it wishes. */
  offer() {
    this.say(null);
    this.#form.querySelector("#kept-words").hidden = !this.#field.value.trim();
    this.#field.focus();
  }

  /** While an answer is being written there is Stop instead of Send. */
  answering(article) {
    const { send, stop } = { send: this.#form.querySelector("#send"), stop: document.getElementById("stop") };
    const hadFocus = document.activeElement === stop || document.activeElement === send;
    send.hidden = article !== null;
    stop.hidden = article === null;
    stop.dataset.message = article?.dataset.message ?? "";
    if (article) stop.formAction = stop.dataset.address.replace(NOBODY, article.dataset.message);
    if (hadFocus) (article ? stop : this.#field).focus({ preventScroll: true });
  }

  #key(event) {
    // Enter within an input method picks a word; it does not send.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    if (!this.#form.querySelector("#send").hidden && !this.#form.querySelector("#send").disabled) this.#form.requestSubmit();
  }

  #submit(event) {
    // A button with an address of its own only takes the text along to another kind of chat.
    if (event.submitter?.hasAttribute("formaction")) return;
    if (this.#form.dataset.plain || this.#field.value.length > LONGEST) return;
    event.preventDefault();
    if (this.busy || !this.#field.value.trim()) return;
    const { workspace, conversation, parent, temporary } = this.#form.elements;
    this.say(null);
    this.#form.querySelector("#kept-words").hidden = true;
    this.#request = uuid();
    this.#form.elements.request.value = this.#request;
    this.#form.setAttribute("aria-busy", "true");
    this.#field.readOnly = true;
    this.#socket.ask({
      type: "ask",
      request: this.#request,
      workspace: workspace.value,
      conversation: conversation.value || null,
      parent: parent.value || null,
      text: this.#field.value,
      temporary: temporary?.value === "on",
    });
    this.#timer = setTimeout(() => this.#plainly(), PATIENCE);
  }

  /** No connection in good time: send the form itself. It carries the same request, so that nothing is asked twice. */
  #plainly() {
    if (this.#socket.up) {
      this.#timer = setTimeout(() => this.#plainly(), PATIENCE);
      return;
    }
    this.#socket.forget(this.#request);
    this.#form.dataset.plain = "yes";
    this.#form.requestSubmit();
  }

  #rest() {
    clearTimeout(this.#timer);
    this.#request = null;
    this.#form.removeAttribute("aria-busy");
    this.#field.readOnly = false;
  }

  /** The field grows with its text where the browser does not do that by itself. */
  #grow() {
    if (CSS.supports("field-sizing", "content")) return;
    this.#field.rows = Math.min(10, this.#field.value.split("\n").length);
  }
}
