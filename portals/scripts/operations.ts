/** Writes each operation on one line: the layout of the sources need not travel. */

import type { Plugin } from "vite";

const OPERATION = /\bgraphql\(\s*`([^`]*)`\s*,?\s*\)/g;

export function operations(): Plugin {
  return {
    name: "operations",
    enforce: "pre",
    transform(code, id) {
      if (!/\.tsx?$/.test(id) || !code.includes("graphql(")) return null;
      return code.replace(
        OPERATION,
        (_, text: string) => `graphql(${JSON.stringify(text.replace(/\s+/g, " ").trim())})`,
      );
    },
  };
}
