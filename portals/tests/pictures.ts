/** Makes the pictures of `docs/portals`, by `dev/portals pictures`. Each is of a real Muster with made-up users. */

import type { Page } from "@playwright/test";
import { expect, test } from "./fixtures";
import { populate } from "./people";

const folder = process.env.MUSTER_PICTURES ?? "pictures";

test.use({ viewport: { width: 1120, height: 640 } });

async function picture(page: Page, name: string, dark = false): Promise<void> {
  await page.emulateMedia({ colorScheme: dark ? "dark" : "light", reducedMotion: "reduce" });
  await expect(page.getByRole("status", { name: "Loading" })).toHaveCount(0);
  await page.screenshot({ path: `${folder}/${name}.png` });
}

test("pictures", async ({ person, muster }) => {
  const people = await populate(muster);
  const user = await person();
  const admin = await person();
  for (const page of [user, admin]) await page.setViewportSize({ width: 1120, height: 640 });
  await people.signIn(admin, "/admin/", people.administrator);
  await admin.goto("/admin/users");
  await expect(admin.getByRole("row", { name: people.user.username })).toBeVisible();
  await picture(admin, "users");
  await admin.goto("/admin/pending");
  await admin
    .getByRole("button", { name: /^Approve / })
    .first()
    .click();
  await admin.getByRole("dialog").getByRole("button", { name: /Group/ }).click();
  await admin.getByRole("option").first().click();
  await admin.getByRole("dialog").getByRole("button", { name: "Approve" }).click();
  await expect(admin.getByRole("alertdialog")).toBeVisible();
  await picture(admin, "secret");
  await admin.getByRole("button", { name: "I have handed it over" }).click();
  await admin.goto(`/admin/users/${people.user.username}/history`);
  await admin
    .getByRole("button", { name: /ufa_config/ })
    .first()
    .click();
  await picture(admin, "history");
  await people.signIn(user, "/", people.user);
  await expect(user.getByRole("heading", { name: /^Hello/ })).toBeVisible();
  await picture(user, "home", true);
});
