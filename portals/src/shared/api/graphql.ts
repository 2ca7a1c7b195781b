/**
 * Operations, typed by the generated overloads. At run time an operation is its text, and stays in the module that uses it:
 * the generated function holds a map of all operations, which would be part of every page.
 */

import type { graphql as Typed } from "../../graphql/gql";
import type { TypedDocumentString } from "../../graphql/graphql";

export const graphql = ((text: string) => text) as unknown as typeof Typed;

export const textOf = <T, V>(document: TypedDocumentString<T, V>): string => document as unknown as string;
