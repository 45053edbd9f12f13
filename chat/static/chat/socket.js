/**
 * The connection. It comes back by itself, and a question that has not been answered is said again: the server knows
 * it by its request's UUID, so that saying it twice does no harm. Frames become events of the same name.
 */

const FIRST_PAUSE = 400;
const LONGEST_PAUSE = 15_000;
/** A connection that lasted so long was a good one. */
const GOOD = 5000;
const SIGNED_OUT = 4401;
const TOO_BIG = 1009;

export class Socket extends EventTarget {
  #socket = null;
  #greeted = false;
  #pause = FIRST_PAUSE;
  #timer = 0;
  #lasting = 0;
  /** Questions without an answer yet, by request. */
  #pending = new Map();

  constructor(path) {
    super();
    this.address = new URL(path, location.href.replace(/^http/, "ws"));
    addEventListener("online", () => this.#hurry());
    document.addEventListener("visibilitychange", () => document.hidden || this.#hurry());
    addEventListener("pageshow", () => this.#hurry());
    this.#connect();
  }

  get up() {
    return this.#greeted && this.#socket.readyState === WebSocket.OPEN;
  }

  /** Send now if there is a connection; says whether it was sent. */
  say(frame) {
    if (this.up) this.#socket.send(JSON.stringify(frame, wellFormed));
    return this.up;
  }

  /**
   * Send what wants an answer; returns the request's UUID. Questions are said again after every reconnection until
   * one comes; other acts are not, for what became of them is seen on the refreshed page.
   */
  ask(frame) {
    const whole = { ...frame, request: frame.request ?? uuid() };
    if (whole.type === "ask" || whole.type === "edit") this.#pending.set(whole.request, whole);
    this.say(whole);
    return whole.request;
  }

  /** Do not say it again: the page asks in another way. */
  forget(request) {
    this.#pending.delete(request);
  }

  #connect() {
    clearTimeout(this.#timer);
    const socket = new WebSocket(this.address);
    this.#socket = socket;
    this.#greeted = false;
    socket.addEventListener("message", (event) => this.#hear(event.data));
    socket.addEventListener("close", ({ code }) => {
      if (this.#socket !== socket) return;
      // A session that ended under an open page may have a successor (a new password in another tab): ask once more.
      if (code === SIGNED_OUT && !this.#greeted) {
        this.dispatchEvent(new Event("out"));
        return;
      }
      if (code === TOO_BIG) this.#pending.clear(); // saying it again would end the same way
      clearTimeout(this.#lasting);
      this.dispatchEvent(new Event("down"));
      // Jitter, so that a restarted server is not met by everybody at once.
      this.#timer = setTimeout(() => this.#connect(), this.#pause * (0.5 + Math.random()));
      this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE);
    });
  }

  #hear(data) {
    let frame;
    try {
      frame = JSON.parse(data);
    } catch {
      return;
    }
    if (frame.type === "hello") this.#greet();
    if (frame.request && (frame.type === "turn" || frame.type === "error")) this.#pending.delete(frame.request);
    this.dispatchEvent(new CustomEvent(frame.type, { detail: frame }));
  }

  /** A connection counts once the server has greeted: one that is accepted and dropped must not be tried without pause. */
  #greet() {
    this.#greeted = true;
    this.#lasting = setTimeout(() => (this.#pause = FIRST_PAUSE), GOOD);
    for (const frame of this.#pending.values()) this.say(frame);
    this.dispatchEvent(new Event("up"));
  }

  #hurry() {
    if (!this.#socket || this.#socket.readyState === WebSocket.CLOSED) {
      this.#pause = FIRST_PAUSE;
      this.#connect();
    }
  }
}

/** Half a pair of surrogates is no character: the server would not understand the frame. A form sends U+FFFD as well. */
function wellFormed(_key, value) {
  return typeof value === "string" ? value.replace(/\p{Cs}/gu, "\uFFFD") : value;
}

/** A UUID also where the page is served without TLS, where `crypto.randomUUID` does not exist. */
export function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
