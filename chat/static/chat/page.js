/** The conversation's page: what the server says becomes what is seen. Each part has its own file. */

import { bindActs, toast } from "./acts.js";
import { Composer } from "./composer.js";
import { Refresh, swap } from "./refresh.js";
import { Follower } from "./scroll.js";
import { Socket } from "./socket.js";
import { Transcript } from "./transcript.js";

const here = document.body.dataset;
const status = document.getElementById("status");
const follower = new Follower(document.getElementById("latest"));
const transcript = new Transcript(document.getElementById("transcript"), () => follower.grown());
const socket = new Socket(here.socket);
const composer = new Composer(document.getElementById("composer"), socket);
const refresh = new Refresh(merge);
/** Who wants to hear that a request was refused. */
const refusals = new Map();
let leaving = false;

bindActs({
  socket,
  transcript,
  refresh: () => refresh.soon(),
  failed: (request, show) => refusals.set(request, show),
  leaving: (away) => refresh.leaving((leaving = away)),
});

function merge(fresh) {
  for (const id of ["head", "conversations", "gate", "review", "allowance", "send"]) swap(fresh, id);
  document.title = fresh.title;
  document.body.classList.toggle("temporary", fresh.body.classList.contains("temporary"));
  if (!fresh.getElementById("lasts")) document.getElementById("lasts")?.remove();
  transcript.merge(fresh.getElementById("transcript"));
  document.dispatchEvent(new CustomEvent("parley:refreshed", { detail: fresh }));
  follow();
  settle();
}

/** Bring the composer into line with the transcript. */
function settle() {
  composer.answering(transcript.open);
  composer.replyTo(transcript.last?.dataset.message);
}

/** Follow every answer whose last word this page has not heard, after the last step it has; `all` after a reconnection. */
function follow({ all = false } = {}) {
  for (const article of transcript.unsettled()) {
    const known = transcript.live.has(article.dataset.message);
    const { step } = transcript.watch(article);
    if (!known || all) socket.say({ type: "follow", message: article.dataset.message, after: step });
  }
}

let warning = 0;

socket.addEventListener("up", () => {
  clearTimeout(warning);
  document.getElementById("connection").hidden = true;
  follow({ all: true });
  if (warning) refresh.soon();
  warning = 0;
});

socket.addEventListener("down", () => {
  warning ||= setTimeout(() => (document.getElementById("connection").hidden = false), 1500);
});

socket.addEventListener("out", () => composer.say(here.sayOut));

const on = (type, hear) => socket.addEventListener(type, ({ detail }) => hear(detail));

on("turn", (turn) => {
  refusals.delete(turn.request);
  const asked = composer.stored(turn.request);
  const { id, url } = turn.conversation;
  if (asked && !here.conversation) {
    here.conversation = id;
    here.address = url;
    history.replaceState(null, "", url);
    composer.open(id);
  }
  if (id !== here.conversation) return;
  transcript.begin(turn);
  for (const editor of document.querySelectorAll("details.edit[open]")) editor.open = false;
  settle();
  follower.jump();
  status.textContent = document.body.dataset.sayAnswering;
  refresh.soon();
});

on("piece", (piece) => {
  const article = transcript.find(piece.message);
  if (!article) return;
  if (article.dataset.state === "waiting") article.dataset.state = "streaming";
  transcript.watch(article).piece(piece);
});

on("done", (end) => {
  const article = transcript.find(end.message);
  if (!article) return;
  const wasOpen = transcript.open === article;
  if (end.html) transcript.settle(article, end.html);
  else transcript.watch(article).finish(end.text);
  transcript.mark(article, {
    state: end.state,
    problem: end.error_sentence ?? "",
    canRetry: end.can_retry,
    canContinue: end.can_continue,
  });
  settle();
  follower.grown();
  if (wasOpen) status.textContent = end.error_sentence || here[`say${end.state[0].toUpperCase()}${end.state.slice(1)}`] || "";
  refresh.soon();
});

on("rendered", ({ message, html }) => {
  const article = transcript.find(message);
  if (article) transcript.settle(article, html);
});

on("changed", () => refresh.soon());
on("hello", ({ gate }) => gate && gate.state !== document.getElementById("gate").dataset.gate && refresh.soon());
on("gate", () => refresh.soon());

on("gone", ({ conversation }) => {
  if (conversation !== here.conversation) refresh.soon();
  else if (!leaving) location.replace(`${here.home}?gone`);
});

on("error", (error) => {
  const show = refusals.get(error.request);
  refusals.delete(error.request);
  if (composer.refused(error)) {
    if (error.code === "consent_required" || error.code === "limit_reached") refresh.soon();
  } else if (show) show(error.message);
  else if (error.message && error.code !== "not_found") toast(error.message);
});

// Somebody has answered the terms here; what they wrote before is theirs to send.
document.addEventListener("parley:chosen", () => {
  refresh.soon();
  composer.offer();
});

// A page taken out of the browser's memory may be old.
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  refresh.leaving((leaving = false));
  refresh.soon();
});

if (new URLSearchParams(location.search).has("gone")) toast(here.sayGone);
if (location.search && location.pathname === here.home) history.replaceState(null, "", here.home);
settle();
if (!location.hash && transcript.last) follower.jump();
