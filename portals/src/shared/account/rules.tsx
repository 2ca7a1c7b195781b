/** Agent rules of a user: what the agent uploads and downloads. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Button } from "react-aria-components";
import type { AckMode, AgentRulesQuery, DeliverPolicy } from "#graphql/graphql";
import { ask } from "#shared/api/ask";
import { refusalsOf, send } from "#shared/api/commands";
import { graphql } from "#shared/api/graphql";
import { word } from "#shared/format";
import { announce } from "#shared/ui/announce";
import { ChoiceField } from "#shared/ui/choice";
import { FormDialog } from "#shared/ui/dialog";
import { Field } from "#shared/ui/field";
import { flag, number, text } from "#shared/ui/form";
import { Grid, type GridColumn } from "#shared/ui/grid";
import { NumberInput } from "#shared/ui/number";
import { Empty, ErrorBox, Loading } from "#shared/ui/states";
import { SwitchField } from "#shared/ui/switches";

const Rules = graphql(`
  query AgentRules($id: ID!) {
    user(id: $id) {
      id
      version
      mailboxes(first: 100) { nodes { id name } }
      agentRules(first: 100) {
        nodes {
          __typename id name active pollInterval subscribers
          ... on UploadRule { matchPattern regex uploadFormat ackMode }
          ... on DownloadRule { mailbox { id name } deliverPolicy startTime downloadPath maxFiles }
        }
      }
    }
  }
`);
const Add = graphql(`
  mutation AddAgentRule($input: AddAgentRuleInput!) { addAgentRule(input: $input) { userErrors { code message field } } }
`);
const Edit = graphql(`
  mutation EditAgentRule($input: EditAgentRuleInput!) { editAgentRule(input: $input) { userErrors { code message field } } }
`);
const Remove = graphql(`
  mutation RemoveAgentRule($input: RemoveAgentRuleInput!) { removeAgentRule(input: $input) { userErrors { code message field } } }
`);

type Rule = NonNullable<AgentRulesQuery["user"]>["agentRules"]["nodes"][number];
type Asked = { what: "upload" | "download" } | { what: "edit" | "remove"; rule: Rule };

const ACKS: readonly AckMode[] = ["NONE", "ARCHIVE", "DELETE"];
const POLICIES: readonly DeliverPolicy[] = ["ALL", "NEW", "LAST", "BY_START_TIME"];
const choices = (all: readonly string[]) => all.map((id) => ({ id, label: word(id) }));

export function RulesTab({ userId }: { userId: string }) {
  const queries = useQueryClient();
  const [asked, setAsked] = useState<Asked | null>(null);
  const { data, error, isPending, refetch } = useQuery({
    queryKey: ["user", userId, "rules"],
    queryFn: ({ signal }) => ask(Rules, { id: userId }, signal),
  });
  if (isPending) return <Loading rows={4} />;
  if (error) return <ErrorBox error={error} onRetry={() => void refetch()} />;
  const user = data.user;
  if (!user) return null;
  const rules = user.agentRules.nodes;
  const changed = (sentence: string) => {
    announce(sentence);
    return queries.invalidateQueries({ queryKey: ["user", userId] });
  };
  const submit = async (form: FormData) => {
    if (!asked) return [];
    const known = { userId, expectedVersion: user.version };
    const payload = await send(async (commandId) => {
      if (asked.what === "remove")
        return (await ask(Remove, { input: { ...known, ruleId: asked.rule.id, commandId } })).removeAgentRule;
      const isUpload = asked.what === "upload" || (asked.what === "edit" && asked.rule.__typename === "UploadRule");
      const rule = isUpload ? { upload: uploadOf(form) } : { download: downloadOf(form) };
      if (asked.what === "edit") {
        return (await ask(Edit, { input: { ...known, ruleId: asked.rule.id, changes: rule, commandId } }))
          .editAgentRule;
      }
      const name = text(form, "name");
      const named = isUpload ? { upload: { name, ...uploadOf(form) } } : { download: { name, ...downloadOf(form) } };
      return (await ask(Add, { input: { ...known, rule: named, commandId } })).addAgentRule;
    });
    const refusals = refusalsOf(payload);
    if (refusals.length === 0) await changed("Agent rules saved.");
    return refusals;
  };
  const columns: GridColumn<Rule>[] = [
    { id: "name", header: "Name", isRowHeader: true, cell: (rule) => rule.name },
    { id: "kind", header: "Kind", cell: (rule) => (rule.__typename === "UploadRule" ? "Upload" : "Download") },
    { id: "active", header: "Active", cell: (rule) => (rule.active ? "Yes" : "No") },
    {
      id: "what",
      header: "What",
      isSecondary: true,
      cell: (rule) =>
        rule.__typename === "UploadRule" ? rule.matchPattern : `${rule.mailbox.name} → ${rule.downloadPath}`,
    },
    { id: "poll", header: "Every", isSecondary: true, cell: (rule) => `${rule.pollInterval} s` },
    {
      id: "do",
      header: "Actions",
      cell: (rule) => (
        <>
          <Button className="button" aria-label={`Edit ${rule.name}`} onPress={() => setAsked({ what: "edit", rule })}>
            Edit
          </Button>{" "}
          <Button
            className="button"
            aria-label={`Remove ${rule.name}`}
            onPress={() => setAsked({ what: "remove", rule })}
          >
            Remove
          </Button>
        </>
      ),
    },
  ];
  return (
    <>
      <div className="actions">
        <Button className="button" data-kind="primary" onPress={() => setAsked({ what: "upload" })}>
          New upload rule
        </Button>
        <Button
          className="button"
          data-kind="primary"
          isDisabled={user.mailboxes.nodes.length === 0}
          onPress={() => setAsked({ what: "download" })}
        >
          New download rule
        </Button>
      </div>
      {rules.length === 0 ? (
        <Empty title="No agent rules yet">Without a rule the agent moves nothing.</Empty>
      ) : (
        <Grid
          label="Agent rules"
          rows={rules}
          columns={columns}
          onOpen={(rule) => setAsked({ what: "edit", rule })}
          rowLabel={(rule) => rule.name}
        />
      )}
      {asked?.what === "remove" && (
        <FormDialog
          title={`Remove ${asked.rule.name}`}
          action="Remove"
          isDangerous
          onClose={() => setAsked(null)}
          onSubmit={submit}
        >
          <p>The agent stops to apply this rule when it looks at its config next.</p>
        </FormDialog>
      )}
      {asked && asked.what !== "remove" && (
        <FormDialog
          title={asked.what === "edit" ? `Edit ${asked.rule.name}` : `New ${asked.what} rule`}
          action="Save"
          onClose={() => setAsked(null)}
          onSubmit={submit}
        >
          <RuleFields
            rule={asked.what === "edit" ? asked.rule : null}
            kind={asked.what}
            mailboxes={user.mailboxes.nodes}
          />
        </FormDialog>
      )}
    </>
  );
}

function RuleFields({
  rule,
  kind,
  mailboxes,
}: {
  rule: Rule | null;
  kind: string;
  mailboxes: readonly { id: string; name: string }[];
}) {
  const upload = rule?.__typename === "UploadRule" ? rule : null;
  const download = rule?.__typename === "DownloadRule" ? rule : null;
  return (
    <>
      {!rule && <Field name="name" label="Name" isRequired autoFocus />}
      <SwitchField name="active" label="Active" defaultSelected={rule?.active ?? true} />
      {upload || kind === "upload" ? (
        <>
          <Field
            name="matchPattern"
            label="Files"
            isRequired
            defaultValue={upload?.matchPattern ?? "./uploads/*"}
            hint="A pattern such as ./uploads/*.csv"
          />
          <SwitchField
            name="regex"
            label="The pattern is a regular expression"
            defaultSelected={upload?.regex ?? false}
          />
          <Field name="uploadFormat" label="Upload format" defaultValue={upload?.uploadFormat ?? ""} />
          <ChoiceField
            name="ackMode"
            label="After the upload"
            isRequired
            choices={choices(ACKS)}
            defaultValue={upload?.ackMode ?? "NONE"}
          />
        </>
      ) : (
        <>
          <ChoiceField
            name="mailbox"
            label="Mailbox"
            isRequired
            choices={mailboxes.map(({ name }) => ({ id: name, label: name }))}
            defaultValue={download?.mailbox.name}
          />
          <ChoiceField
            name="deliverPolicy"
            label="Which files"
            isRequired
            choices={choices(POLICIES)}
            defaultValue={download?.deliverPolicy ?? "NEW"}
          />
          <Field
            name="startTime"
            label="From"
            defaultValue={download?.startTime ?? ""}
            hint="For “By start time”: an instant such as 2026-03-01T00:00:00Z"
          />
          <Field
            name="downloadPath"
            label="Download to"
            isRequired
            defaultValue={download?.downloadPath ?? "./downloads"}
          />
          <NumberInput name="maxFiles" label="Most files at a time" defaultValue={download?.maxFiles ?? 20} min={1} />
        </>
      )}
      <NumberInput
        name="pollInterval"
        label="Poll interval"
        hint="Seconds"
        defaultValue={rule?.pollInterval ?? 300}
        min={1}
      />
      <NumberInput name="subscribers" label="Subscribers" defaultValue={rule?.subscribers ?? 5} min={1} />
    </>
  );
}

const common = (form: FormData) => ({
  active: flag(form, "active"),
  pollInterval: number(form, "pollInterval"),
  subscribers: number(form, "subscribers"),
});

const uploadOf = (form: FormData) => ({
  ...common(form),
  matchPattern: text(form, "matchPattern"),
  regex: flag(form, "regex"),
  uploadFormat: text(form, "uploadFormat"),
  ackMode: text(form, "ackMode") as AckMode,
});

const downloadOf = (form: FormData) => ({
  ...common(form),
  mailbox: text(form, "mailbox"),
  deliverPolicy: text(form, "deliverPolicy") as DeliverPolicy,
  ...(text(form, "startTime") ? { startTime: text(form, "startTime") } : {}),
  downloadPath: text(form, "downloadPath"),
  maxFiles: number(form, "maxFiles"),
});
