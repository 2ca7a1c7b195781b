/** The list of keys, opened by `?`. */

import { Button, Dialog, Heading, Modal, ModalOverlay } from "react-aria-components";

const KEYS: readonly [string, string][] = [
  ["/ or Ctrl K", "Search users, groups and pages"],
  ["?", "This list"],
  ["↓ ↑ or j k", "Next and previous row"],
  ["Home End", "First and last row of the page"],
  ["Space", "Select the row"],
  ["Enter", "Open the row"],
  ["a", "Approve (in the queue)"],
  ["r", "Reject (in the queue)"],
  ["Esc", "Close"],
];

export default function KeysDialog({ onClose }: { onClose: () => void }) {
  return (
    <ModalOverlay className="overlay" isOpen isDismissable onOpenChange={(open) => open || onClose()}>
      <Modal className="modal">
        <Dialog className="dialog">
          <Heading slot="title">Keys</Heading>
          <dl className="keys">
            {KEYS.map(([key, what]) => (
              <div key={key} style={{ display: "contents" }}>
                <dt>
                  <kbd>{key}</kbd>
                </dt>
                <dd>{what}</dd>
              </div>
            ))}
          </dl>
          <div className="dialog-actions">
            <Button className="button" autoFocus onPress={onClose}>
              Close
            </Button>
          </div>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
