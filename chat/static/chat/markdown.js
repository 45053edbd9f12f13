/**
 * Markdown while it is being written. The server's own rendering replaces it at the end; until then what a model writes
 * must not reach outside: no images, and links only to the web and to mail.
 */

import { CODE_BLOCK, CODE_FENCE, HREF, IMAGE, SRC, default_renderer, parser, parser_end, parser_write } from "./vendor/smd.min.js";

const ALLOWED = new Set(["http:", "https:", "mailto:"]);

function isAllowed(address) {
  try {
    return ALLOWED.has(new URL(address, "invalid://").protocol);
  } catch {
    return false;
  }
}

/** The library's renderer for `root`, with what it adds filtered. */
function filtered(root) {
  const plain = default_renderer(root);
  return {
    ...plain,
    add_token(data, type) {
      if (type === IMAGE) {
        const alt = document.createElement("span");
        alt.className = "image-alt";
        data.nodes[data.index].append(alt);
        data.nodes[++data.index] = alt;
        return;
      }
      plain.add_token(data, type);
      // Code may be wider than the page: the keyboard must be able to scroll it.
      if (type === CODE_BLOCK || type === CODE_FENCE) data.nodes[data.index].parentElement.tabIndex = 0;
    },
    set_attr(data, type, value) {
      if (type === SRC || (type === HREF && !isAllowed(value))) return;
      plain.set_attr(data, type, value);
      if (type === HREF) data.nodes[data.index].rel = "nofollow noopener noreferrer";
    },
  };
}

/** A writer of Markdown into `root`: `write(text)` appends, `end()` closes what is open. */
export function writer(root) {
  const machine = parser(filtered(root));
  return {
    write: (text) => parser_write(machine, text),
    end: () => parser_end(machine),
  };
}
