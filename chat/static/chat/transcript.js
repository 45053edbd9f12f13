/** The messages on the page: making, finding, marking and merging them. Their markup comes from the server's templates. */

import { Live } from "./live.js";
import { dress } from "./text.js";

const NOBODY = "00000000-0000-0000-0000-000000000000";
const OPEN = new Set(["waiting", "streaming"]);

export class Transcript {
  /** Answers being written, by message. */
  live = new Map();
  #root;
  #grown;

  /** `grown` is called whenever the page may have become longer. */
  constructor(root, grown) {
    this.#root = root;
    this.#grown = grown;
    dress(document);
  }

  find(message) {
    return this.#root.querySelector(`[data-message="${CSS.escape(message)}"]`);
  }

  get last() {
    return this.#root.querySelector(":scope > .message:last-of-type");
  }

  /** The answer that is being written, if there is one. */
  get open() {
    return [...this.#root.children].findLast((element) => OPEN.has(element.dataset.state)) ?? null;
  }

  /** Answers whose words this page does not have for good: those being written, those not rendered yet. */
  unsettled() {
    return [...this.#root.querySelectorAll("[data-state=waiting], [data-state=streaming], [data-unrendered]")];
  }

  /** Begin to show an answer live, from nothing or from what is there already. */
  watch(article) {
    const id = article.dataset.message;
    if (!this.live.has(id)) this.live.set(id, new Live(article.querySelector("[data-body]"), this.#grown));
    return this.live.get(id);
  }

  /** Show a turn that was begun: what stood after its parent was another branch. */
  begin({ question, answer }) {
    const known = this.find(answer.id);
    if (known) {
      this.mark(known, { state: answer.state });
      return;
    }
    this.#cutAfter(question ? question.parent : answer.parent);
    if (question) this.#append("question-template", question);
    const article = this.#append("answer-template", answer);
    this.mark(article, { state: answer.state });
    if (answer.model) article.querySelector("[data-model]").textContent = answer.model;
    this.watch(article);
    this.#grown();
  }

  mark(article, { state, problem, canRetry = false, canContinue = false }) {
    article.dataset.state = state;
    if (problem !== undefined) this.#explain(article, problem);
    const settled = !OPEN.has(state);
    const show = (act, shown) => {
      const button = article.querySelector(`[data-act="${act}"]`);
      if (button) button.hidden = !shown;
    };
    show("retry", canRetry);
    show("continue", canContinue);
    show("regenerate", settled && !canRetry);
    show("copy", settled && article.querySelector("[data-body]").textContent !== "");
  }

  /** Why an answer did not come to its end, wherever its state shows that. */
  #explain(article, problem) {
    for (const place of article.querySelectorAll("[data-problem]")) place.textContent = problem;
  }

  /** The server's HTML in place of what was drawn here. It was sanitised there. */
  settle(article, html) {
    const body = article.querySelector("[data-body]");
    body.classList.remove("as-written");
    body.innerHTML = html;
    delete article.dataset.unrendered;
    this.live.delete(article.dataset.message);
    dress(article);
    this.#grown();
  }

  /** Take over the transcript of a freshly fetched page, leaving alone what is being written, edited or unchanged. */
  merge(fresh) {
    const nodes = [...fresh.children].map((element) => {
      const known = element.dataset.message && this.find(element.dataset.message);
      return known ? this.#update(known, element) : document.importNode(element, true);
    });
    const same = nodes.length === this.#root.children.length && nodes.every((node, i) => node === this.#root.children[i]);
    if (!same) this.#root.replaceChildren(...nodes);
    for (const id of this.live.keys()) if (!this.find(id)) this.live.delete(id);
    dress(document);
    this.#grown();
  }

  #update(known, fresh) {
    const live = this.live.has(known.dataset.message);
    if (!live) {
      known.dataset.state = fresh.dataset.state;
      const [body, newer] = [known, fresh].map((article) => article.querySelector("[data-body]"));
      const settled = !("unrendered" in fresh.dataset) && !OPEN.has(fresh.dataset.state);
      if (settled && body.dataset.source !== newer.innerHTML) {
        // Remembered, because dressing changes what stands there.
        body.dataset.source = newer.innerHTML;
        body.className = newer.className;
        body.innerHTML = newer.innerHTML;
        delete known.dataset.unrendered;
      }
      this.#explain(known, fresh.querySelector("[data-problem]")?.textContent);
    }
    const acts = known.querySelector(".acts");
    const busy = acts.contains(document.activeElement) || acts.querySelector("details[open]");
    if (!busy && !(live && OPEN.has(known.dataset.state))) acts.replaceWith(document.importNode(fresh.querySelector(".acts"), true));
    this.#showThumbs(known, fresh);
    return known;
  }

  /** Thumbs say what stands, also while one of them has the focus. */
  #showThumbs(known, fresh) {
    const [now, next] = [known, fresh].map((article) => article.querySelector(".thumbs"));
    if (!now || !next || now.outerHTML === next.outerHTML) return;
    const copy = document.importNode(next, true);
    const focused = [...now.children].indexOf(document.activeElement);
    now.replaceWith(copy);
    copy.children[focused]?.focus();
  }

  #cutAfter(parent) {
    const last = parent && this.find(parent);
    for (const element of [...this.#root.children].reverse()) {
      if (element === last) return;
      this.live.delete(element.dataset.message);
      element.remove();
    }
  }

  #append(template, { id, text, html }) {
    const holder = document.createElement("template");
    holder.innerHTML = document.getElementById(template).innerHTML.replaceAll(NOBODY, id);
    const article = document.importNode(holder.content.querySelector("article"), true);
    const body = article.querySelector("[data-body]");
    if (html) {
      body.classList.remove("as-written");
      body.innerHTML = html;
    } else if (text) body.textContent = text;
    if (text) {
      article.querySelector("[data-act=copy]").hidden = false;
      const editor = article.querySelector("textarea");
      if (editor) editor.defaultValue = text;
    }
    this.#root.append(article);
    dress(article);
    return article;
  }
}
