/**
 * Word from the socket for pages outside the conversation that say what applies: the person has answered somewhere, the
 * terms or a deadline have changed, a chat has come or gone. They hear it as an event, and import nothing of the chat.
 */

import { Socket } from "./socket.js";

const socket = new Socket(document.body.dataset.socket);

// "up" too: what changed while there was no connection, or before the first, was said to nobody.
for (const word of ["up", "gate", "changed", "gone"]) {
  socket.addEventListener(word, () => document.dispatchEvent(new CustomEvent("parley:standing")));
}
