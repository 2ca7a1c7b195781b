/** A command has an id of its own, so that sending it again after a lost answer does nothing twice. */

import { type Refusal, RequestError } from "./errors";

export const commandId = (): string => crypto.randomUUID();

/** Tries of a command whose outcome is unknown, with the same id each. */
const TRIES = 4;

/** Sends a command, again where its outcome is unknown or the server asks for patience. */
export async function send<T>(command: (id: string) => Promise<T>): Promise<T> {
  const id = commandId();
  for (let tries = 1; ; tries++) {
    try {
      return await command(id);
    } catch (error) {
      const again = error instanceof RequestError && (error.code === "UNKNOWN_OUTCOME" || error.code === "UNAVAILABLE");
      if (!again || tries === TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, (error as RequestError).retryAfterMs ?? 500 * tries));
    }
  }
}

/** The refusals of a payload; null where the field of the mutation itself failed. */
export const refusalsOf = (payload: { userErrors: readonly Refusal[] } | null | undefined): readonly Refusal[] =>
  payload?.userErrors ?? [{ code: "failed", message: "The server gave no answer to this command." }];
