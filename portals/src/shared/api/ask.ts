/** Sends operations to the gateway. The session travels in a cookie that no script can read. */

import type { TypedDocumentString } from "#graphql/graphql";
import { type GraphQLErrorBody, RequestError } from "./errors";
import { textOf } from "./graphql";

type Variables<V> = V extends Record<string, never> ? [variables?: Record<string, never>] : [variables: V];

/** Called when a request finds that nobody is signed in, or that the password has to be changed first. */
type SessionListener = (code: "UNAUTHENTICATED" | "PASSWORD_CHANGE_REQUIRED") => void;
let onSession: SessionListener = () => {};
export const listenToSession = (listener: SessionListener): void => {
  onSession = listener;
};

/** An error that leaves the answer usable: the command was accepted, and only reading it back took too long. */
const HARMLESS = new Set(["NOT_YET_VISIBLE"]);

export async function ask<T, V>(
  document: TypedDocumentString<T, V>,
  ...[variables, signal]: [...Variables<V>, signal?: AbortSignal]
): Promise<T> {
  const response = await post(
    { query: textOf(document), variables: variables ?? {} },
    signal as AbortSignal | undefined,
  );
  const requestId = response.headers.get("x-request-id");
  const body = (await response.json().catch(() => null)) as { data?: T | null; errors?: GraphQLErrorBody[] } | null;
  if (body === null) throw new RequestError("The answer could not be read.", "INTERNAL", requestId, null);
  const error = body.errors?.find((error) => !HARMLESS.has(error.extensions?.code ?? ""));
  if (error) {
    const failed = RequestError.of(error, requestId);
    if (failed.code === "UNAUTHENTICATED" || failed.code === "PASSWORD_CHANGE_REQUIRED") onSession(failed.code);
    throw failed;
  }
  if (!body.data) throw new RequestError("The answer has no data.", "INTERNAL", requestId, null);
  return body.data;
}

async function post(body: unknown, signal: AbortSignal | undefined): Promise<Response> {
  try {
    return await fetch("/graphql", {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/graphql-response+json" },
      body: JSON.stringify(body),
      credentials: "same-origin",
      ...(signal ? { signal } : {}),
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw RequestError.unreachable();
  }
}
