// Fails when a portal loads more than it may: JavaScript in kilobytes of gzip, by what Vite says that each page imports.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const root = fileURLToPath(new URL("..", import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, "manifest.json"), "utf8"));

/** Kilobytes of JavaScript, and requests for files, before a page is there. */
const BUDGETS = [
  { page: "sign-in of users", entries: ["index.html"], kilobytes: 130 },
  { page: "sign-in of administrators", entries: ["admin/index.html"], kilobytes: 130 },
  {
    page: "users grid",
    entries: ["admin/index.html", "src/admin/portal.tsx", "src/admin/users/page.tsx"],
    kilobytes: 190,
  },
  { page: "home of users", entries: ["index.html", "src/user/portal.tsx", "src/user/pages/home.tsx"], kilobytes: 180 },
];
const MOST_REQUESTS = 12;

/** The files that a module loads with it, in any depth. */
function loaded(name, found) {
  const { file, css = [], imports = [] } = manifest[name] ?? missing(name);
  if (found.has(file)) return found;
  found.add(file);
  for (const style of css) found.add(style);
  for (const one of imports) loaded(one, found);
  return found;
}

function missing(name) {
  throw new Error(`The manifest has no ${name}.`);
}

let failed = false;
for (const { page, entries, kilobytes } of BUDGETS) {
  const files = [...entries.reduce((found, entry) => loaded(entry, found), new Set())];
  const scripts = files.filter((file) => file.endsWith(".js"));
  const size = scripts.reduce(
    (sum, file) => sum + gzipSync(readFileSync(join(root, "dist", file)), { level: 9 }).length,
    0,
  );
  // The document, and the icon.
  const requests = files.length + 2;
  const isOver = size > kilobytes * 1000 || requests > MOST_REQUESTS;
  failed ||= isOver;
  const figures = `${(size / 1000).toFixed(1)} of ${kilobytes} kB, ${requests} of ${MOST_REQUESTS} requests`;
  console.log(`${isOver ? "OVER " : ""}${page}: ${figures}`);
}
process.exit(failed ? 1 : 0);
