/** What a person does by keyboard alone. These specs use no mouse. */

import { expect, type Locator, type Page } from "@playwright/test";

/** Types into the field of this label, over what stands there. */
export async function fill(page: Page, label: string | RegExp, text: string): Promise<void> {
  const field = page.getByLabel(label, typeof label === "string" ? { exact: true } : {});
  await field.focus();
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type(text);
}

/** Presses something by Enter. */
export async function press(target: Locator): Promise<void> {
  await expect(target).toBeEnabled();
  await target.focus();
  await target.press("Enter");
}

/** Chooses in a picker: opens it, goes to the option by its first letters, takes it. */
export async function choose(page: Page, label: string, option: string): Promise<void> {
  await press(page.getByRole("dialog").or(page.locator("main")).last().getByRole("button", { name: label }));
  const found = page.getByRole("option", { name: option });
  await expect(found).toBeVisible();
  await page.keyboard.type(option);
  await expect(found).toBeFocused();
  await page.keyboard.press("Enter");
}
