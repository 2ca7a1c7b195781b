// Uses what graphql-codegen makes, so that the compiler checks it: a document carries the types of its answer and variables.
import type { ResultOf, VariablesOf } from "@graphql-typed-document-node/core";
import { AddRuleDocument, OneUserDocument, UsersDocument } from "./generated.js";

export const first: VariablesOf<typeof UsersDocument> = { first: 20, filter: { search: "archer" } };

export function names(answer: ResultOf<typeof UsersDocument>): string[] {
  return answer.users?.nodes.map((user) => user.username) ?? [];
}

export function jobs(answer: ResultOf<typeof OneUserDocument>): number | undefined {
  return answer.node?.__typename === "User" ? answer.node.ufaConfig.maxJobs : undefined;
}

export const rule: VariablesOf<typeof AddRuleDocument> = {
  input: { userId: "user_1", rule: { upload: { name: "daily", ackMode: "NONE" } } },
};

export const two: VariablesOf<typeof AddRuleDocument> = {
  // @ts-expect-error A rule is an upload or a download (@oneOf).
  input: { userId: "user_1", rule: { upload: { name: "a", ackMode: "NONE" }, download: { name: "b", mailbox: "c" } } },
};
