/** What every form has: its state while it is sent, and how its values are read. */

import { type FormEvent, useState } from "react";
import { byField, type Refusal, RequestError } from "#shared/api/errors";

/** The state of a form that is sent: refusals by field, one message for the rest, whether it is under way. */
export function useFormState(onSubmit: (form: FormData) => Promise<readonly Refusal[]>, onDone?: () => void) {
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [message, setMessage] = useState("");
  const [isSending, setSending] = useState(false);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (isSending) return;
    setSending(true);
    setMessage("");
    try {
      const refusals = await onSubmit(new FormData(event.currentTarget));
      const { "": general, ...fields } = byField(refusals);
      setErrors(fields);
      setMessage(general ?? "");
      if (refusals.length === 0) onDone?.();
    } catch (error) {
      const id = error instanceof RequestError && error.correlationId ? ` (request ${error.correlationId})` : "";
      setMessage(error instanceof Error ? `${error.message}${id}` : "Something went wrong.");
    } finally {
      setSending(false);
    }
  };
  return { errors, message, isSending, submit };
}

/** The text of a field; absent becomes the empty text. */
export const text = (form: FormData, name: string): string => String(form.get(name) ?? "").trim();
/** The text of an optional field; empty becomes null, so that it is cleared. */
export const optional = (form: FormData, name: string): string | null => text(form, name) || null;
export const number = (form: FormData, name: string): number => Number(text(form, name));
export const flag = (form: FormData, name: string): boolean => form.get(name) !== null;
