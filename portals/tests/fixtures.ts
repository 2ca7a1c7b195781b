/** What every test has: a running Muster, and pages that report each breach of the content security policy. */

import { test as base, expect, type Page } from "@playwright/test";
import { type Muster, startMuster } from "./muster";

interface Fixtures {
  /** Opens a page in a browser context of its own: another person at another browser. */
  person: () => Promise<Page>;
  /** One of its own for each test, because tests change the administrator's password. */
  muster: Muster;
}

export const test = base.extend<Fixtures>({
  muster: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the parameter's pattern
    async ({}, use) => {
      const muster = await startMuster();
      await use(muster);
      await muster.stop();
    },
    { timeout: 120_000 },
  ],
  baseURL: async ({ muster }, use) => use(muster.url),
  person: async ({ browser, muster }, use) => {
    const breaches: string[] = [];
    const contexts: { close: () => Promise<void> }[] = [];
    await use(async () => {
      const context = await browser.newContext({
        baseURL: muster.url,
        permissions: ["clipboard-read", "clipboard-write"],
      });
      contexts.push(context);
      await context.exposeFunction("breached", (breach: string) => breaches.push(breach));
      await context.addInitScript(() => {
        addEventListener("securitypolicyviolation", (event) =>
          (window as unknown as { breached: (text: string) => void }).breached(
            `${event.violatedDirective} ${event.blockedURI} ${event.sourceFile ?? ""}`,
          ),
        );
      });
      const page = await context.newPage();
      page.on("pageerror", (error) => breaches.push(`script error: ${error.message}`));
      return page;
    });
    for (const context of contexts) await context.close();
    expect(breaches, "breaches of the content security policy, and errors of scripts").toEqual([]);
  },
});

export { expect };
