/**
 * Keeping the latest words in sight. The page goes along until the reader takes over (wheel, touch, keys, scroll bar),
 * however little that moves it; it goes along again once the reader is back at the end.
 */

const UP_KEYS = new Set(["ArrowUp", "PageUp", "Home"]);

export class Follower {
  #following = true;
  #button;
  #top = scrollY;

  constructor(button) {
    this.#button = button;
    addEventListener("wheel", (event) => event.deltaY < 0 && this.#leave(), { passive: true });
    addEventListener("touchmove", () => this.#leave(), { passive: true });
    addEventListener("keydown", (event) => {
      if (UP_KEYS.has(event.key) && !event.target.closest("textarea, input")) this.#leave();
    });
    addEventListener("pointerdown", (event) => {
      if (event.clientX >= document.documentElement.clientWidth) this.#leave();
    });
    addEventListener("scroll", () => this.#moved(), { passive: true });
    button.addEventListener("click", () => {
      this.jump();
      document.getElementById("message").focus({ preventScroll: true });
    });
  }

  /** To be called after the page has grown. */
  grown() {
    if (this.#following) this.#toEnd();
    this.#offer();
  }

  /** Go to the end and stay there. */
  jump() {
    this.#following = true;
    this.#toEnd();
    this.#offer();
  }

  #leave() {
    if (document.documentElement.scrollHeight > innerHeight) this.#following = false;
    this.#offer();
  }

  #moved() {
    const down = scrollY > this.#top;
    this.#top = scrollY;
    if (down && this.#distance() < 4) this.#following = true;
    this.#offer();
  }

  #distance() {
    return document.documentElement.scrollHeight - innerHeight - scrollY;
  }

  #toEnd() {
    scrollTo({ top: document.documentElement.scrollHeight, behavior: "instant" });
  }

  #offer() {
    this.#button.hidden = this.#following || this.#distance() < 80;
  }
}
