/** Users, groups and what they have, made through the API, so that no screen is empty. */

import { expect, type Page } from "@playwright/test";
import type { Muster } from "./muster";

export interface Person {
  username: string;
  password: string;
}

export interface People {
  administrator: Person;
  user: Person;
  signIn: (page: Page, path: string, person: Person) => Promise<void>;
}

const NAMES = [
  ["Amara", "Okafor"],
  ["Bruno", "Ferreira"],
  ["Chiara", "Conti"],
  ["Daan", "Visser"],
  ["Elif", "Yilmaz"],
  ["Farid", "Haddad"],
  ["Greta", "Lindqvist"],
  ["Hiro", "Tanaka"],
  ["Ines", "Moreau"],
  ["Jonas", "Weber"],
  ["Kavya", "Nair"],
  ["Liam", "Byrne"],
] as const;

type Answer = Record<string, { userErrors: { message: string }[] } & Record<string, unknown>>;

/** Asks the API as a program does, by a token. */
class Api {
  constructor(
    private readonly url: string,
    private readonly token: string | null = null,
  ) {}

  async ask<T = Answer>(query: string, variables: object = {}): Promise<T> {
    const headers: Record<string, string> = { "content-type": "application/json" };
    if (this.token) headers.authorization = `Bearer ${this.token}`;
    const response = await fetch(`${this.url}/graphql`, {
      method: "POST",
      headers,
      body: JSON.stringify({ query, variables }),
    });
    const body = (await response.json()) as { data: T; errors?: { message: string }[] };
    if (body.errors) throw new Error(`${query}: ${JSON.stringify(body.errors)}`);
    return body.data;
  }

  /** Runs a mutation that must not be refused. Returns its payload. */
  async must(name: string, input: object, more = ""): Promise<Record<string, unknown>> {
    const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input`;
    const query = `mutation($input: ${type}!) { ${name}(input: $input) { ${more} userErrors { message } } }`;
    const payload = (await this.ask(query, { input }))[name];
    if (!payload || payload.userErrors.length > 0) throw new Error(`${name}: ${JSON.stringify(payload)}`);
    return payload;
  }

  async signedIn({ username, password }: Person): Promise<Api> {
    const payload = await this.must("signIn", { username, password }, "sessionToken");
    return new Api(this.url, payload.sessionToken as string);
  }

  /** Replaces a temporary password. */
  async settled(username: string, temporary: string, password: string): Promise<Api> {
    const first = await this.signedIn({ username, password: temporary });
    await first.must("changePassword", { currentPassword: temporary, newPassword: password });
    return first;
  }
}

export async function populate(muster: Muster): Promise<People> {
  const door = new Api(muster.url);
  const { username, temporaryPassword } = muster.administrator;
  const administrator = { username, password: "eleven lanterns across the bay" };
  const admin = await door.settled(username, temporaryPassword, administrator.password);
  const groups: string[] = [];
  for (const [name, description] of [
    ["Finance", "Invoices and statements"],
    ["Logistics", "Orders and delivery notes"],
    ["Suppliers", null],
  ]) {
    const payload = await admin.must("createGroup", { name, description }, "group { id }");
    groups.push((payload.group as { id: string }).id);
  }
  const made: { name: string; id: string; temporary: string }[] = [];
  for (const [at, [firstName, lastName]] of NAMES.entries()) {
    const name = `${firstName}.${lastName}`.toLowerCase();
    const personal = { username: name, firstName, lastName, email: `${name}@example.org` };
    if (at % 3 === 2) await door.must("registerUser", { ...personal, phone: "+49 30 5550100" }, "accepted");
    else {
      const groupId = groups[at % groups.length];
      const payload = await admin.must("createUser", { ...personal, groupId }, "user { id } temporaryPassword");
      const id = (payload.user as { id: string }).id;
      made.push({ name, id, temporary: payload.temporaryPassword as string });
    }
  }
  const [first, second] = made;
  if (!first || !second) throw new Error("nobody was made");
  await admin.must("suspendUser", { userId: second.id, reason: "The contract has ended" });
  const user = { username: first.name, password: "seven quiet herons over the mill" };
  const own = await door.settled(first.name, first.temporary, user.password);
  const userId = first.id;
  await own.must("createMailbox", { userId, name: "incoming", description: "What partners send" });
  const upload = { name: "send-invoices", matchPattern: "./out/*.pdf", ackMode: "ARCHIVE" };
  await own.must("addAgentRule", { userId, rule: { upload } });
  await own.must("issueAuthToken", {
    userId,
    name: "nightly transfer",
    scopes: ["SFTP"],
    allowedNetworks: ["10.1.0.0/16"],
  });
  await own.must("editUfaConfig", { userId, heartbeatInterval: 45 });
  const signIn = async (page: Page, path: string, person: Person) => {
    await page.goto(path);
    await page.getByLabel(/^Username/).fill(person.username);
    await page.getByLabel(/^Password/).fill(person.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page.getByRole("button", { name: /^Account/ })).toBeVisible();
  };
  return { administrator, user, signIn };
}
