/** Every screen, light and dark, wide and narrow, without a violation that axe can find. */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "@playwright/test";
import { expect, test } from "./fixtures";
import { populate } from "./people";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const WIDTHS = [1280, 320];
const SCHEMES = ["light", "dark"] as const;

/** Looks at the page as it stands, in each colour scheme and at each width. */
async function look(page: Page, name: string): Promise<void> {
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 900 });
    for (const colorScheme of SCHEMES) {
      await page.emulateMedia({ colorScheme });
      const found = await page.evaluate(async (tags) => {
        const { axe } = window as unknown as {
          axe: { run: (context: Document, options: object) => Promise<AxeResults> };
        };
        const { violations } = await axe.run(document, { runOnly: { type: "tag", values: tags } });
        const overflow = document.documentElement.scrollWidth - document.documentElement.clientWidth;
        const named = violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 160)}`));
        return overflow > 0 ? [...named, `the page is ${overflow} px wider than the screen`] : named;
      }, TAGS);
      expect.soft(found, `${name}, ${colorScheme}, ${width} px`).toEqual([]);
      const shots = process.env.MUSTER_TEST_SHOTS;
      if (shots) await page.screenshot({ path: `${shots}/${name}-${colorScheme}-${width}.png` });
    }
  }
}

interface AxeResults {
  violations: { id: string; nodes: { html: string }[] }[];
}

test("every screen", async ({ person, muster }) => {
  test.setTimeout(240_000);
  const people = await populate(muster);
  const user = await person();
  const admin = await person();
  // Evaluated beforehand in every document: the policy of the pages allows no script of another origin, and this one neither.
  for (const page of [user, admin]) await page.addInitScript(axe);

  await user.goto("/");
  await expect(user.getByRole("button", { name: "Sign in" })).toBeVisible();
  await look(user, "sign-in");
  await user.getByLabel(/^Username/).fill("nobody");
  await user.getByLabel(/^Password/).fill("nothing at all");
  await user.getByRole("button", { name: "Sign in" }).click();
  await expect(user.getByRole("alert")).toBeVisible();
  await look(user, "sign-in-refused");
  await user.goto("/register");
  await expect(user.getByRole("heading", { name: "Register" })).toBeVisible();
  await look(user, "register");

  await people.signIn(user, "/", people.user);
  await expect(user.getByRole("heading", { name: /^Hello/ })).toBeVisible();
  await look(user, "home");
  for (const [path, heading] of [
    ["/profile", "Profile"],
    ["/password", "Password"],
    ["/tokens", "Auth tokens"],
    ["/mailboxes", "Mailboxes"],
    ["/rules", "Agent rules"],
    ["/config", "UFA config"],
    ["/sessions", "Sessions"],
    ["/history", "History"],
    ["/none", "There is no such page"],
  ] as const) {
    await user.goto(path);
    await settled(user, heading);
    await look(user, `own${path.replace("/", "-")}`);
  }

  await people.signIn(admin, "/admin/", people.administrator);
  const name = people.user.username;
  for (const [path, heading, shot] of [
    ["/admin/", "Overview", "overview"],
    ["/admin/users", "Users", "users"],
    ["/admin/users?q=nobody-has-this-name", "Users", "users-none"],
    ["/admin/pending", "Pending", "pending"],
    ["/admin/groups", "Groups", "groups"],
    ["/admin/audit", "Audit", "audit"],
    [`/admin/users/${name}`, name, "user"],
    [`/admin/users/${name}/config`, name, "user-config"],
    [`/admin/users/${name}/rules`, name, "user-rules"],
    [`/admin/users/${name}/tokens`, name, "user-tokens"],
    [`/admin/users/${name}/mailboxes`, name, "user-mailboxes"],
    [`/admin/users/${name}/sessions`, name, "user-sessions"],
    [`/admin/users/${name}/history`, name, "user-history"],
  ] as const) {
    await admin.goto(path);
    await settled(admin, heading);
    await look(admin, shot);
  }
  await admin
    .getByRole("button", { name: /user_|muster\./ })
    .first()
    .click();
  await look(admin, "user-history-open");

  // Dialogs.
  await admin.setViewportSize({ width: 1280, height: 900 });
  await admin.goto("/admin/users");
  await settled(admin, "Users");
  await admin.keyboard.press("?");
  await expect(admin.getByRole("dialog")).toBeVisible();
  await look(admin, "keys");
  await admin.keyboard.press("Escape");
  await admin.keyboard.press("/");
  await admin.keyboard.type("ma");
  await expect(admin.getByRole("menuitem").first()).toBeVisible();
  await look(admin, "palette");
  await admin.keyboard.press("Escape");
  await admin.setViewportSize({ width: 1280, height: 900 });
  await admin.getByRole("button", { name: "New user" }).click();
  await expect(admin.getByRole("dialog")).toBeVisible();
  await look(admin, "new-user");
  await admin.keyboard.press("Escape");
  await admin.setViewportSize({ width: 1280, height: 900 });
  await admin.getByRole("checkbox", { name: `Select ${name}` }).check();
  await look(admin, "users-selected");
  await admin.setViewportSize({ width: 1280, height: 900 });
  await admin.goto("/admin/pending");
  await settled(admin, "Pending");
  await admin
    .getByRole("button", { name: /^Reject / })
    .first()
    .click();
  await admin.getByRole("dialog").getByRole("button", { name: "Reject" }).click();
  await look(admin, "reject-refused");
  await admin.keyboard.press("Escape");
  await admin.setViewportSize({ width: 1280, height: 900 });
  await admin
    .getByRole("button", { name: /^Approve / })
    .first()
    .click();
  await admin.getByRole("dialog").getByRole("button", { name: /Group/ }).click();
  await expect(admin.getByRole("option").first()).toBeVisible();
  await look(admin, "approve");
  await admin.getByRole("option").first().click();
  await admin.getByRole("dialog").getByRole("button", { name: "Approve" }).click();
  await expect(admin.getByRole("alertdialog")).toBeVisible();
  await look(admin, "secret");
});

/** Waits until the page of this heading has all that it shows. */
async function settled(page: Page, heading: string): Promise<void> {
  await expect(page.getByRole("heading", { name: heading, level: 1 })).toBeVisible();
  await expect(page.getByRole("status", { name: "Loading" })).toHaveCount(0);
}
