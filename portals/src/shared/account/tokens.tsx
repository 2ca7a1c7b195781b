/** Auth tokens of a user: issue one, see where it was used, revoke it. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Button } from "react-aria-components";
import type { AuthTokensQuery, TokenScope } from "#graphql/graphql";
import { ask } from "#shared/api/ask";
import { refusalsOf, send } from "#shared/api/commands";
import { graphql } from "#shared/api/graphql";
import { ago, dateTime, word } from "#shared/format";
import { announce } from "#shared/ui/announce";
import { FormDialog, type OnceShown, SecretDialog } from "#shared/ui/dialog";
import { Field } from "#shared/ui/field";
import { text } from "#shared/ui/form";
import { Grid, type GridColumn } from "#shared/ui/grid";
import { Empty, ErrorBox, Loading } from "#shared/ui/states";
import { CheckField } from "#shared/ui/switches";

const Tokens = graphql(`
  query AuthTokens($id: ID!) {
    user(id: $id) {
      id
      authTokens(first: 100) { nodes { id name scopes allowedNetworks createdAt expiresAt lastUsedAt lastUsedFrom lastUsedFor revoked } }
    }
  }
`);
const Issue = graphql(`
  mutation IssueAuthToken($input: IssueAuthTokenInput!) {
    issueAuthToken(input: $input) { authToken { id name expiresAt } secret userErrors { code message field } }
  }
`);
const Revoke = graphql(`
  mutation RevokeAuthToken($input: RevokeAuthTokenInput!) { revokeAuthToken(input: $input) { userErrors { code message field } } }
`);

type Token = NonNullable<AuthTokensQuery["user"]>["authTokens"]["nodes"][number];
const SCOPES: readonly TokenScope[] = ["SFTP", "MAILBOX", "GATEWAY", "AGENT"];

export function TokensTab({ userId }: { userId: string }) {
  const queries = useQueryClient();
  const [issuing, setIssuing] = useState(false);
  const [revoking, setRevoking] = useState<Token | null>(null);
  const [secrets, setSecrets] = useState<OnceShown[]>([]);
  const { data, error, isPending, refetch } = useQuery({
    queryKey: ["user", userId, "tokens"],
    queryFn: ({ signal }) => ask(Tokens, { id: userId }, signal),
  });
  if (isPending) return <Loading rows={4} />;
  if (error) return <ErrorBox error={error} onRetry={() => void refetch()} />;
  const tokens = data.user?.authTokens.nodes ?? [];
  const changed = () => queries.invalidateQueries({ queryKey: ["user", userId] });

  const issue = async (form: FormData) => {
    const name = text(form, "name");
    const days = text(form, "days");
    const networks = text(form, "allowedNetworks")
      .split(/[\s,]+/)
      .filter(Boolean);
    const input = {
      userId,
      name,
      scopes: form.getAll("scopes") as TokenScope[],
      allowedNetworks: networks,
      ...(days ? { expiresAt: new Date(Date.now() + Number(days) * 86_400_000).toISOString() } : {}),
    };
    const { issueAuthToken } = await send((commandId) => ask(Issue, { input: { ...input, commandId } }));
    const refusals = refusalsOf(issueAuthToken);
    if (refusals.length === 0) {
      void changed();
      if (issueAuthToken?.secret && issueAuthToken.authToken) {
        const { id, expiresAt } = issueAuthToken.authToken;
        setSecrets([
          { name: "Token id (the user of HTTP Basic)", secret: id },
          { name: `Secret of ${name}`, secret: issueAuthToken.secret, until: expiresAt ? dateTime(expiresAt) : null },
        ]);
      }
    }
    return refusals;
  };
  const revoke = async () => {
    if (!revoking) return [];
    const { revokeAuthToken } = await send((commandId) =>
      ask(Revoke, { input: { userId, authTokenId: revoking.id, commandId } }),
    );
    const refusals = refusalsOf(revokeAuthToken);
    if (refusals.length === 0) {
      announce(`Token ${revoking.name} revoked.`);
      await changed();
    }
    return refusals;
  };
  const columns: GridColumn<Token>[] = [
    { id: "name", header: "Name", isRowHeader: true, cell: (token) => token.name },
    { id: "scopes", header: "Scopes", cell: (token) => token.scopes.map(word).join(", ") },
    {
      id: "networks",
      header: "From",
      isSecondary: true,
      cell: (token) => token.allowedNetworks.join(", ") || "Anywhere",
    },
    { id: "expires", header: "Expires", cell: (token) => (token.expiresAt ? ago(token.expiresAt) : "Never") },
    {
      id: "used",
      header: "Last used",
      isSecondary: true,
      cell: (token) =>
        token.lastUsedAt
          ? `${ago(token.lastUsedAt)}, ${token.lastUsedFor ? word(token.lastUsedFor) : ""} from ${token.lastUsedFrom ?? "?"}`
          : "Never",
    },
    {
      id: "do",
      header: "Actions",
      cell: (token) =>
        token.revoked ? (
          "Revoked"
        ) : (
          <Button className="button" aria-label={`Revoke ${token.name}`} onPress={() => setRevoking(token)}>
            Revoke
          </Button>
        ),
    },
  ];
  return (
    <>
      <div className="actions">
        <Button className="button" data-kind="primary" onPress={() => setIssuing(true)}>
          Issue a token
        </Button>
      </div>
      {tokens.length === 0 ? (
        <Empty title="No auth tokens yet">A token lets a program in, without the password.</Empty>
      ) : (
        <Grid label="Auth tokens" rows={tokens} columns={columns} rowLabel={(token) => token.name} />
      )}
      {issuing && secrets.length === 0 && (
        <FormDialog title="Issue a token" action="Issue" onClose={() => setIssuing(false)} onSubmit={issue} staysOpen>
          <Field name="name" label="Name" isRequired autoFocus hint="What it is for" />
          <fieldset className="field">
            <legend>Scopes</legend>
            {SCOPES.map((scope) => (
              <CheckField key={scope} name="scopes" value={scope} label={word(scope)} />
            ))}
          </fieldset>
          <Field
            name="allowedNetworks"
            label="Allowed networks"
            hint="Such as 10.1.0.0/16; from everywhere when empty"
          />
          <Field name="days" label="Expires after days" hint="Never when empty" />
        </FormDialog>
      )}
      {revoking && (
        <FormDialog
          title={`Revoke ${revoking.name}`}
          action="Revoke"
          isDangerous
          onClose={() => setRevoking(null)}
          onSubmit={revoke}
        >
          <p>What uses this token is locked out within a second. This can't be taken back.</p>
        </FormDialog>
      )}
      {secrets.length > 0 && (
        <SecretDialog
          title="The token"
          secrets={secrets}
          onClose={() => {
            setSecrets([]);
            setIssuing(false);
          }}
        />
      )}
    </>
  );
}
