import { fileURLToPath } from "node:url";
import optimizeLocales from "@react-aria/optimize-locales-plugin";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { operations } from "./scripts/operations.ts";
import { trustedTypes } from "./scripts/trusted-types.ts";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** What several pages may share: packages, and the sources of both portals. */
const SHARED = /node_modules|src[\\/]shared|src[\\/]admin[\\/]user-commands/;

/** The same, with what the bundler itself adds. */
const DOOR = new RegExp(`${SHARED.source}|preload-helper|rolldown[\\\\/]runtime`);

/** Two pages, one set of assets. Nothing is inlined: the content security policy allows files of this host alone. */
export default defineConfig({
  plugins: [operations(), trustedTypes(), react(), { ...optimizeLocales.vite({ locales: ["en-US"] }), enforce: "pre" }],
  resolve: {
    alias: {
      "#shared": at("./src/shared"),
      "#admin": at("./src/admin"),
      "#user": at("./src/user"),
      "#graphql": at("./src/graphql"),
    },
  },
  build: {
    target: "es2023",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    manifest: "manifest.json",
    reportCompressedSize: false,
    rolldownOptions: {
      input: { user: at("./index.html"), admin: at("./admin/index.html") },
      output: {
        // Few files: one for what both doors need, the others by the pages that share them.
        codeSplitting: {
          groups: [
            { name: "door", test: DOOR, tags: ["$initial"], minShareCount: 2, priority: 2 },
            // With all that these modules import: the frame of every page, tables, forms in dialogs.
            { name: "frame", test: /src[\\/]shared[\\/](ui[\\/](shell|states|announce)|format)/, priority: 1 },
            {
              name: "grid",
              test: /src[\\/]shared[\\/]ui[\\/]grid|src[\\/]admin[\\/](users[\\/]columns|groups-query)/,
              priority: 1,
            },
            {
              name: "form",
              test: /src[\\/]shared[\\/](ui|api)[\\/](dialog|choice|switches|field|commands)/,
              priority: 1,
            },
            { name: "common", test: SHARED, minShareCount: 2, entriesAware: true, entriesAwareMergeThreshold: 6_000 },
          ],
        },
        chunkFileNames: ({ name }) => `assets/${name.split("~")[0]}-[hash].js`,
      },
    },
  },
  server: { proxy: { "/graphql": "http://127.0.0.1:8080" } },
});
