/** Dialogs: a form, a question, and a secret that is shown once. */

import { type ReactNode, useEffect, useRef, useState } from "react";
import { Button, Dialog, Form, Heading, Modal, ModalOverlay } from "react-aria-components";
import type { Refusal } from "#shared/api/errors";
import { announce } from "./announce";
import { useFormState } from "./form";

interface FormDialogProps {
  title: string;
  action: string;
  isDangerous?: boolean;
  onClose: () => void;
  /** Whether the dialog is replaced by another one when it succeeds, and does not close. */
  staysOpen?: boolean;
  /** Sends the form. Refusals stay in the form; none closes it. */
  onSubmit: (form: FormData) => Promise<readonly Refusal[]>;
  children: ReactNode;
}

export function FormDialog({ title, action, isDangerous, staysOpen, onClose, onSubmit, children }: FormDialogProps) {
  const form = useFormState(onSubmit, staysOpen ? undefined : onClose);
  return (
    <ModalOverlay className="overlay" isOpen isDismissable={!form.isSending} onOpenChange={(open) => open || onClose()}>
      <Modal className="modal">
        <Dialog className="dialog">
          <Form validationErrors={form.errors} onSubmit={form.submit}>
            <Heading slot="title">{title}</Heading>
            {children}
            {form.message && (
              <p role="alert" className="form-error">
                {form.message}
              </p>
            )}
            <div className="dialog-actions">
              <Button className="button" onPress={onClose}>
                Cancel
              </Button>
              <Button
                className="button"
                data-kind={isDangerous ? "danger" : "primary"}
                type="submit"
                data-pending={form.isSending || undefined}
              >
                {action}
              </Button>
            </div>
          </Form>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

export interface OnceShown {
  name: string;
  secret: string;
  until?: string | null;
}

/** How long a secret stays on a page that nobody looks at. */
const HIDDEN_FOR = 120_000;

/** Shows secrets once. They live in this component alone, and go when it closes, is left alone or is navigated away from. */
export function SecretDialog({
  title,
  secrets,
  onClose,
}: {
  title: string;
  secrets: OnceShown[];
  onClose: () => void;
}) {
  const [shown, setShown] = useState<OnceShown[] | null>(secrets);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => {
    const wipe = () => setShown(null);
    const onVisibility = () => {
      clearTimeout(timer.current);
      if (document.hidden) timer.current = setTimeout(wipe, HIDDEN_FOR);
    };
    addEventListener("pagehide", wipe);
    document.addEventListener("visibilitychange", onVisibility);
    return () => {
      clearTimeout(timer.current);
      removeEventListener("pagehide", wipe);
      document.removeEventListener("visibilitychange", onVisibility);
    };
  }, []);
  const copy = async (text: string, what: string) => {
    await navigator.clipboard.writeText(text);
    announce(`${what} copied.`);
  };
  const close = () => {
    setShown(null);
    onClose();
  };
  return (
    <ModalOverlay className="overlay" isOpen isDismissable={false} isKeyboardDismissDisabled>
      <Modal className="modal">
        <Dialog className="dialog" role="alertdialog">
          <Heading slot="title">{title}</Heading>
          <p>Shown this once. If it is lost, a reset makes another.</p>
          {shown === null && <p role="status">The secret was removed from this page. A reset makes another.</p>}
          {shown?.map((secret) => (
            <div className="secret" key={secret.name}>
              <span className="secret-name">{secret.name}</span>
              <output className="secret-value">{secret.secret}</output>
              <Button
                className="button"
                autoFocus={shown.length === 1}
                onPress={() => copy(secret.secret, secret.name)}
              >
                Copy
              </Button>
              {secret.until && <span className="hint">Works until {secret.until}</span>}
            </div>
          ))}
          <div className="dialog-actions">
            {shown && shown.length > 1 && (
              <Button
                className="button"
                onPress={() => copy(shown.map((s) => `${s.name}\t${s.secret}`).join("\n"), "All")}
              >
                Copy all
              </Button>
            )}
            <Button className="button" data-kind="primary" onPress={close}>
              I have handed it over
            </Button>
          </div>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
