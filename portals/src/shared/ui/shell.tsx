/** The frame of a portal: brand, navigation, palette, help, account. */

import { Link, useRouter } from "@tanstack/react-router";
import { lazy, type ReactNode, Suspense, useEffect, useRef, useState } from "react";
import { Button, Menu, MenuItem, MenuTrigger, Popover } from "react-aria-components";
import icon from "#shared/icon.svg";
import type { PaletteEntry } from "./palette";
import { toggleTheme } from "./theme";

const loadPalette = () => import("./palette");
const Palette = lazy(loadPalette);
const KeysDialog = lazy(() => import("./keys"));

export interface NavEntry {
  to: string;
  label: string;
  badge?: number | undefined;
}

interface ShellProps {
  title: string;
  home: string;
  entries: readonly NavEntry[];
  name: string;
  onSignOut: () => void;
  /** What the palette offers beside the pages. */
  search?: (text: string, signal: AbortSignal) => Promise<PaletteEntry[]>;
  children: ReactNode;
}

/** Whether a page was left, and the heading of the next one is not there yet. */
let isNavigating = false;

export function Shell({ title, home, entries, name, onSignOut, search, children }: ShellProps) {
  const router = useRouter();
  const [palette, setPalette] = useState(false);
  const [keys, setKeys] = useState(false);
  const [isClosed, setClosed] = useState(true);

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const isTyping =
        event.target instanceof HTMLElement &&
        event.target.closest("input, textarea, select, [contenteditable]") !== null;
      if ((event.ctrlKey || event.metaKey) && event.key === "k") setPalette(true);
      else if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
      else if (event.key === "/") setPalette(true);
      else if (event.key === "?") setKeys(true);
      else return;
      event.preventDefault();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);

  // Loaded once the page itself is there, so that the palette takes the first letter that is typed.
  useEffect(() => {
    const timer = setTimeout(() => void loadPalette(), 500);
    return () => clearTimeout(timer);
  }, []);

  useEffect(
    () =>
      router.subscribe("onBeforeNavigate", ({ fromLocation, pathChanged }) => {
        if (!fromLocation || !pathChanged) return;
        isNavigating = true;
        setClosed(true);
      }),
    [router],
  );

  const pages = entries.map(
    ({ to, label }): PaletteEntry => ({ id: to, label, kind: "Page", run: () => void router.navigate({ to }) }),
  );
  return (
    <div className="shell">
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <header className="top">
        <Button className="button menu-toggle" aria-expanded={!isClosed} onPress={() => setClosed(!isClosed)}>
          Menu
        </Button>
        <Link className="brand" to={home}>
          <img src={icon} alt="" />
          {title}
        </Link>
        <span className="top-space" />
        <Button className="button" onPress={() => setPalette(true)}>
          Search <kbd className="hide-narrow">/</kbd>
        </Button>
        <Button className="button hide-narrow" aria-label="Keys" onPress={() => setKeys(true)}>
          ?
        </Button>
        <MenuTrigger>
          <Button className="button" aria-label={`Account ${name}`}>
            {name}
          </Button>
          <Popover className="popover" placement="bottom end">
            <Menu className="menu">
              <MenuItem className="option" onAction={toggleTheme}>
                Light or dark
              </MenuItem>
              <MenuItem className="option" onAction={onSignOut}>
                Sign out
              </MenuItem>
            </Menu>
          </Popover>
        </MenuTrigger>
      </header>
      <nav className="nav" aria-label="Pages" data-closed={isClosed || undefined}>
        <ul>
          {entries.map(({ to, label, badge }) => (
            <li key={to}>
              <Link to={to} activeOptions={{ exact: to === home }} activeProps={{ "aria-current": "page" }}>
                {label}
                {badge ? <span className="badge">{badge > 9_999 ? "9,999+" : badge}</span> : null}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      <main className="main" id="main" tabIndex={-1}>
        {children}
      </main>
      <Suspense>
        {palette && <Palette pages={pages} {...(search ? { search } : {})} onClose={() => setPalette(false)} />}
        {keys && <KeysDialog onClose={() => setKeys(false)} />}
      </Suspense>
    </div>
  );
}

export interface Crumb {
  label: string;
  to?: string;
}

/** The head of a page: where one is, its name, what can be done. */
export function PageHead({
  title,
  crumbs = [],
  children,
}: {
  title: string;
  crumbs?: readonly Crumb[];
  children?: ReactNode;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Muster`;
  }, [title]);
  // After navigation the heading takes the focus, so that a screen reader says where one is.
  useEffect(() => {
    if (!isNavigating) return;
    isNavigating = false;
    heading.current?.focus();
  }, []);
  return (
    <>
      {crumbs.length > 0 && (
        <nav aria-label="Breadcrumbs">
          <ol className="crumbs">
            {crumbs.map(({ label, to }) => (
              <li key={label}>{to ? <Link to={to}>{label}</Link> : label}</li>
            ))}
          </ol>
        </nav>
      )}
      <div className="page-head">
        <h1 tabIndex={-1} ref={heading}>
          {title}
        </h1>
        {children}
      </div>
    </>
  );
}
