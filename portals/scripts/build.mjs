// Makes `dist`: types of the operations, both pages with their assets, and each file compressed as the gateway sends it.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, brotliDecompressSync, constants, gunzipSync, gzipSync } from "node:zlib";

const root = fileURLToPath(new URL("..", import.meta.url));
const run = (tool, ...options) =>
  execFileSync(join(root, "node_modules/.bin", tool), options, { cwd: root, stdio: "inherit" });

const files = (dir) =>
  readdirSync(dir).flatMap((name) =>
    statSync(join(dir, name)).isDirectory() ? files(join(dir, name)) : [join(dir, name)],
  );

const dist = join(root, "dist");
/** The compressed files there were. Another release of Node compresses the same content into other bytes. */
const before = new Map();
if (existsSync(dist)) {
  for (const file of files(dist)) if (/\.(br|gz)$/.test(file)) before.set(file, readFileSync(file));
}

run("graphql-codegen", "--config", "codegen.ts", "--silent");
run("vite", "build", "--logLevel", "warn");

// For `scripts/budget.mjs`: no part of what is served.
renameSync(join(dist, "manifest.json"), join(root, "manifest.json"));

/** Keeps the compressed file of earlier if it holds this content, and makes it otherwise. */
function write(file, plain, compress, decompress) {
  const known = before.get(file);
  writeFileSync(file, known && isOf(known, plain, decompress) ? known : compress(plain));
}

function isOf(compressed, plain, decompress) {
  try {
    return decompress(compressed).equals(plain);
  } catch {
    return false;
  }
}

/** Smaller files cost more by their headers than compression saves. */
const WORTH_IT = 512;
for (const file of files(dist)) {
  const plain = readFileSync(file);
  if (plain.length < WORTH_IT || !/\.(html|js|css|svg)$/.test(file)) continue;
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: plain.length };
  write(`${file}.br`, plain, (content) => brotliCompressSync(content, { params }), brotliDecompressSync);
  write(`${file}.gz`, plain, (content) => gzipSync(content, { level: 9 }), gunzipSync);
}
