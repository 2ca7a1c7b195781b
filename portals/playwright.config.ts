import { defineConfig } from "@playwright/test";

/** Debian's Chromium drives the real program. Nothing is downloaded, and no request is answered by anything but Muster. */
export default defineConfig({
  testDir: "tests",
  testMatch: process.env.MUSTER_PICTURES ? "pictures.ts" : "*.spec.ts",
  timeout: 180_000,
  expect: { timeout: 20_000 },
  workers: 1,
  forbidOnly: true,
  reporter: [["list"]],
  outputDir: process.env.MUSTER_TEST_OUTPUT ?? "test-results",
  use: {
    launchOptions: { executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] },
    viewport: { width: 1280, height: 800 },
    locale: "en-US",
    trace: "off",
  },
});
