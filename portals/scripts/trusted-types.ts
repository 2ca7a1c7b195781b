/**
 * React Aria empties its live regions by `innerHTML = ''`, which Trusted Types forbid without a policy. This writes the same in
 * another way, and fails the build when there is nothing to write: then the package has changed, and this file can go.
 */

import type { Plugin } from "vite";

const MODULE = /dist[\\/]private[\\/]live-announcer[\\/]LiveAnnouncer\.m?js/;

export function trustedTypes(): Plugin {
  return {
    name: "trusted-types",
    transform(code, id) {
      if (!MODULE.test(id)) return null;
      const written = code.replaceAll(/\.innerHTML = ''/g, ".replaceChildren()");
      if (written === code) this.error("The live announcer of React Aria does not set innerHTML any more.");
      return written;
    },
  };
}
