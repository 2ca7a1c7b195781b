/** A table of rows from the server: one row is a tab stop, arrows move between rows, Space selects, Enter opens. */

import {
  type ColumnDef,
  columnVisibilityFeature,
  type RowSelectionState,
  rowSelectionFeature,
  tableFeatures,
  useTable,
} from "@tanstack/react-table";
import { type KeyboardEvent, type ReactNode, useRef, useState } from "react";

export const gridFeatures = tableFeatures({ rowSelectionFeature, columnVisibilityFeature });
type Features = typeof gridFeatures;

export interface Row {
  id: string;
}

export interface GridColumn<R extends Row> {
  id: string;
  header: string;
  cell: (row: R) => ReactNode;
  /** What the server sorts this column by; without it the header is no button. */
  sortKey?: string;
  /** Whether the column names its row, for screen readers. */
  isRowHeader?: boolean;
  /** Whether the column is left out on narrow screens. */
  isSecondary?: boolean;
}

export interface Sort {
  key: string;
  descending: boolean;
}

interface GridProps<R extends Row> {
  label: string;
  rows: readonly R[];
  columns: readonly GridColumn<R>[];
  hidden?: ReadonlySet<string>;
  sort?: Sort;
  onSort?: (sort: Sort) => void;
  selection?: RowSelectionState;
  onSelection?: (selection: RowSelectionState) => void;
  onOpen?: (row: R) => void;
  /** Keys that do something to the focused row, such as `a` for approve. */
  rowKeys?: Record<string, (row: R) => void>;
  /** Old rows that are shown while others load. */
  isStale?: boolean;
  rowLabel: (row: R) => string;
}

export function Grid<R extends Row>(props: GridProps<R>) {
  const { rows, columns, hidden, selection = {}, onSelection, onOpen, sort, onSort, rowKeys } = props;
  const [active, setActive] = useState(0);
  const body = useRef<HTMLTableSectionElement>(null);
  const definitions = columns.map(
    (column): ColumnDef<Features, R> => ({
      id: column.id,
      header: column.header,
      cell: (context) => column.cell(context.row.original),
    }),
  );
  const table = useTable<Features, R>({
    features: gridFeatures,
    columns: definitions,
    data: rows as R[],
    getRowId: (row) => row.id,
    state: {
      rowSelection: selection,
      columnVisibility: Object.fromEntries([...(hidden ?? [])].map((id) => [id, false])),
    },
    onRowSelectionChange: (next) => onSelection?.(typeof next === "function" ? next(selection) : next),
  });
  const selectable = onSelection !== undefined;
  const current = Math.min(active, Math.max(rows.length - 1, 0));

  const focusRow = (index: number) => {
    const target = Math.max(0, Math.min(rows.length - 1, index));
    setActive(target);
    body.current?.rows[target]?.focus();
  };
  const onKeyDown = (event: KeyboardEvent, index: number, row: R) => {
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return;
    const moves: Record<string, number> = {
      ArrowDown: index + 1,
      j: index + 1,
      ArrowUp: index - 1,
      k: index - 1,
      Home: 0,
      End: rows.length - 1,
    };
    const move = moves[event.key];
    if (move !== undefined) focusRow(move);
    else if (event.key === "Enter" && onOpen) onOpen(row);
    else if (event.key === " " && selectable) table.getRow(row.id).toggleSelected();
    else if (rowKeys?.[event.key]) rowKeys[event.key]?.(row);
    else return;
    event.preventDefault();
  };

  const column = (id: string) => columns.find((column) => column.id === id);
  return (
    <div className="grid-scroll">
      <table
        className="grid"
        aria-label={props.label}
        aria-busy={props.isStale}
        data-stale={props.isStale || undefined}
      >
        <thead>
          {table.getHeaderGroups().map((group) => (
            <tr key={group.id}>
              {selectable && (
                <th className="grid-select" scope="col">
                  <input
                    type="checkbox"
                    aria-label="Select all rows of this page"
                    checked={table.getIsAllRowsSelected()}
                    ref={(box) => {
                      if (box) box.indeterminate = table.getIsSomeRowsSelected() && !table.getIsAllRowsSelected();
                    }}
                    onChange={table.getToggleAllRowsSelectedHandler()}
                  />
                </th>
              )}
              {group.headers.map((header) => {
                const { header: title, sortKey, isSecondary } = column(header.column.id) ?? { header: "" };
                const direction =
                  sortKey && sort?.key === sortKey ? (sort.descending ? "descending" : "ascending") : undefined;
                return (
                  <th key={header.id} scope="col" aria-sort={direction} data-secondary={isSecondary || undefined}>
                    {sortKey && onSort ? (
                      <button
                        type="button"
                        className="grid-sort"
                        onClick={() => onSort({ key: sortKey, descending: direction === "ascending" })}
                      >
                        {title}
                        <span aria-hidden="true">
                          {direction === "ascending" ? " ▲" : direction === "descending" ? " ▼" : ""}
                        </span>
                      </button>
                    ) : (
                      title
                    )}
                  </th>
                );
              })}
            </tr>
          ))}
        </thead>
        <tbody ref={body}>
          {table.getRowModel().rows.map((row, index) => (
            <tr
              key={row.id}
              tabIndex={index === current ? 0 : -1}
              aria-label={props.rowLabel(row.original)}
              data-selected={row.getIsSelected() || undefined}
              onFocus={() => setActive(index)}
              onKeyDown={(event) => onKeyDown(event, index, row.original)}
              onDoubleClick={() => onOpen?.(row.original)}
            >
              {selectable && (
                <td className="grid-select">
                  <input
                    type="checkbox"
                    tabIndex={-1}
                    aria-label={`Select ${props.rowLabel(row.original)}`}
                    checked={row.getIsSelected()}
                    onChange={row.getToggleSelectedHandler()}
                  />
                </td>
              )}
              {row.getVisibleCells().map((cell) => {
                const shown = column(cell.column.id);
                const content = shown?.cell(row.original);
                const secondary = shown?.isSecondary || undefined;
                return shown?.isRowHeader ? (
                  <th key={cell.id} scope="row" data-secondary={secondary}>
                    {content}
                  </th>
                ) : (
                  <td key={cell.id} data-secondary={secondary}>
                    {content}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
