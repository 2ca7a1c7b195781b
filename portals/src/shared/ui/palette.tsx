/** The palette: pages, users and groups by a few letters. */

import { useEffect, useState } from "react";
import { Autocomplete, Dialog, Input, Menu, MenuItem, Modal, ModalOverlay, SearchField } from "react-aria-components";

export interface PaletteEntry {
  id: string;
  label: string;
  kind: string;
  run: () => void;
}

interface PaletteProps {
  pages: readonly PaletteEntry[];
  search?: (text: string, signal: AbortSignal) => Promise<PaletteEntry[]>;
  onClose: () => void;
}

export default function Palette({ pages, search, onClose }: PaletteProps) {
  const [text, setText] = useState("");
  const [found, setFound] = useState<PaletteEntry[]>([]);
  useEffect(() => {
    if (!search || text.trim() === "") {
      setFound([]);
      return;
    }
    const stop = new AbortController();
    search(text, stop.signal).then(setFound, () => {});
    return () => stop.abort();
  }, [text, search]);
  const lower = text.trim().toLowerCase();
  const entries = [...pages.filter((page) => page.label.toLowerCase().includes(lower)), ...found];
  const run = (id: string) => {
    onClose();
    entries.find((entry) => entry.id === id)?.run();
  };
  return (
    <ModalOverlay className="overlay" isOpen isDismissable onOpenChange={(open) => open || onClose()}>
      <Modal className="modal palette">
        <Dialog aria-label="Search" className="palette-dialog">
          <Autocomplete inputValue={text} onInputChange={setText}>
            <SearchField aria-label="Search users, groups and pages" autoFocus>
              <Input className="search" placeholder="Users, groups, pages…" />
            </SearchField>
            <Menu
              className="menu"
              items={entries}
              onAction={(id) => run(String(id))}
              renderEmptyState={() => <p className="hint">Nothing found.</p>}
            >
              {(entry) => (
                <MenuItem className="option" id={entry.id} textValue={entry.label}>
                  {entry.label} <span className="hint">{entry.kind}</span>
                </MenuItem>
              )}
            </Menu>
          </Autocomplete>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
