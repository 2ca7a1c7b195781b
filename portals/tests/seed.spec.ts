/** The whole way of a user, by keyboard alone: from the registration to the end of a suspended user's session. */

import { expect, test } from "./fixtures";
import { choose, fill, press } from "./keyboard";

const PASSWORD = "seven quiet herons over the mill";

test("register, approve, hand over, change, configure, suspend", async ({ person, muster }) => {
  const user = await person();
  await user.goto("/");
  await press(user.getByRole("button", { name: "Register" }));
  await fill(user, /^Username/, "maria.keller");
  await fill(user, /^First name/, "Maria");
  await fill(user, /^Last name/, "Keller");
  await fill(user, /^E-mail/, "maria.keller@example.org");
  await press(user.getByRole("button", { name: "Register" }));
  await expect(user.getByRole("heading", { name: "Registration received" })).toBeVisible();
  await press(user.getByRole("button", { name: "Back to the sign-in" }));
  await fill(user, /^Username/, "maria.keller");
  await fill(user, /^Password/, "not yet a password of mine");
  await press(user.getByRole("button", { name: "Sign in" }));
  await expect(user.getByRole("alert")).toContainText("The sign-in failed");

  const admin = await person();
  const { username, temporaryPassword } = muster.administrator;
  await admin.goto("/admin/");
  await fill(admin, /^Username/, username);
  await fill(admin, /^Password/, temporaryPassword);
  await press(admin.getByRole("button", { name: "Sign in" }));
  await expect(admin.getByRole("heading", { name: "Choose your password" })).toBeVisible();
  await fill(admin, /^Temporary password/, temporaryPassword);
  await fill(admin, /^New password/, `${PASSWORD} of the admin`);
  await press(admin.getByRole("button", { name: "Change password" }));
  await expect(admin.getByRole("heading", { name: "Overview" })).toBeVisible();

  await press(admin.getByRole("link", { name: "Groups" }));
  await press(admin.getByRole("button", { name: "New group" }));
  await fill(admin, /^Name/, "Finance");
  await press(admin.getByRole("button", { name: "Save" }));
  await expect(admin.getByRole("row", { name: "Finance" })).toBeVisible();

  await press(admin.getByRole("link", { name: /Pending/ }));
  const row = admin.getByRole("row", { name: "maria.keller" });
  await row.focus();
  await admin.keyboard.press("a");
  await choose(admin, "Group", "Finance");
  await press(admin.getByRole("button", { name: "Approve", exact: true }));
  await press(admin.getByRole("button", { name: "Copy" }));
  const secret = await admin.evaluate(() => navigator.clipboard.readText());
  await press(admin.getByRole("button", { name: "I have handed it over" }));
  await expect(admin.getByText("Nobody waits")).toBeVisible();

  await fill(user, /^Username/, "maria.keller");
  await fill(user, /^Password/, secret);
  await press(user.getByRole("button", { name: "Sign in" }));
  await fill(user, /^Temporary password/, secret);
  await fill(user, /^New password/, PASSWORD);
  await press(user.getByRole("button", { name: "Change password" }));
  await expect(user.getByRole("heading", { name: "Hello Maria Keller" })).toBeVisible();

  await admin.keyboard.press("/");
  await expect(admin.getByRole("searchbox", { name: /^Search/ })).toBeFocused();
  await admin.keyboard.type("maria");
  await expect(admin.getByRole("menuitem", { name: /maria\.keller/ })).toBeVisible();
  await admin.keyboard.press("Enter");
  await expect(admin.getByRole("heading", { name: "maria.keller" })).toBeFocused();
  await press(admin.getByRole("link", { name: "UFA Config" }));
  await fill(admin, /^Heartbeat interval/, "45");
  await press(admin.getByRole("button", { name: "Save" }));
  await expect(admin.getByRole("status").filter({ hasText: "UFA config saved." })).toBeAttached();
  await admin.reload();
  await expect(admin.getByLabel(/^Heartbeat interval/)).toHaveValue("45");

  await press(admin.getByRole("link", { name: "Agent Rules" }));
  await press(admin.getByRole("button", { name: "New upload rule" }));
  await fill(admin, /^Name/, "invoices");
  await press(admin.getByRole("button", { name: "Save" }));
  await expect(admin.getByRole("row", { name: "invoices" })).toBeVisible();

  await press(admin.getByRole("link", { name: "Auth Tokens" }));
  await press(admin.getByRole("button", { name: "Issue a token" }));
  await fill(admin, /^Name/, "nightly");
  const scope = admin.getByRole("checkbox", { name: "Agent" });
  await scope.focus();
  await admin.keyboard.press("Space");
  await press(admin.getByRole("button", { name: "Issue", exact: true }));
  await expect(admin.getByRole("alertdialog")).toContainText("Secret of nightly");
  await press(admin.getByRole("button", { name: "I have handed it over" }));
  await expect(admin.getByRole("row", { name: "nightly" })).toBeVisible();

  await press(
    admin
      .getByRole("button", { name: "More" })
      .or(admin.getByRole("button", { name: "Suspend" }))
      .first(),
  );
  const item = admin.getByRole("menuitem", { name: "Suspend" });
  if (await item.isVisible()) await press(item);
  await fill(admin, /^Reason/, "Left the company");
  await press(admin.getByRole("dialog").getByRole("button", { name: "Suspend" }));
  await expect(admin.getByText("Reason: Left the company")).toBeVisible();
  const suspended = Date.now();
  // The other browser shows the door although nobody touches it.
  await expect(user.getByRole("button", { name: "Sign in" })).toBeVisible();
  expect(Date.now() - suspended, "milliseconds until the suspended user's page is the door").toBeLessThan(1_000);
  await fill(user, /^Username/, "maria.keller");
  await fill(user, /^Password/, PASSWORD);
  await press(user.getByRole("button", { name: "Sign in" }));
  await expect(user.getByRole("alert")).toContainText("The sign-in failed");
});
