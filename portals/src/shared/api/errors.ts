/** What a request can end with instead of data. The codes are those of `errors[].extensions.code`. */

export interface GraphQLErrorBody {
  message: string;
  path?: (string | number)[];
  extensions?: { code?: string; correlationId?: string; retryAfterMs?: number };
}

/** A request that failed: the server says so, or it could not be reached. */
export class RequestError extends Error {
  override name = "RequestError";

  constructor(
    message: string,
    readonly code: string,
    readonly correlationId: string | null,
    readonly retryAfterMs: number | null,
  ) {
    super(message);
  }

  static of(error: GraphQLErrorBody, requestId: string | null): RequestError {
    const { code = "INTERNAL", correlationId = requestId, retryAfterMs = null } = error.extensions ?? {};
    return new RequestError(error.message, code, correlationId ?? null, retryAfterMs);
  }

  static unreachable(): RequestError {
    return new RequestError("The server can't be reached.", "UNREACHABLE", null, 2000);
  }

  /** Whether the same request may succeed later, unchanged. */
  get isTemporary(): boolean {
    return ["UNAVAILABLE", "RATE_LIMITED", "UNREACHABLE", "NOT_YET_VISIBLE"].includes(this.code);
  }
}

/** A refusal of a mutation: the input is at fault, or a rule says no. Nothing was written. */
export interface Refusal {
  code: string;
  message: string;
  field?: readonly string[] | null;
}

/** Refusals by the name of the form field they belong to; those of no field under the empty name. */
export function byField(refusals: readonly Refusal[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (const refusal of refusals) {
    const name = refusal.field?.at(-1) ?? "";
    found[name] = found[name] ? `${found[name]} ${refusal.message}` : refusal.message;
  }
  return found;
}
