/** The UFA config of a user: a form of what the agent does in general. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Button, Form } from "react-aria-components";
import { ask } from "#shared/api/ask";
import { refusalsOf, send } from "#shared/api/commands";
import { graphql } from "#shared/api/graphql";
import { ago } from "#shared/format";
import { announce } from "#shared/ui/announce";
import { Field } from "#shared/ui/field";
import { flag, number, text, useFormState } from "#shared/ui/form";
import { NumberInput } from "#shared/ui/number";
import { ErrorBox, Loading } from "#shared/ui/states";
import { SwitchField } from "#shared/ui/switches";

const Config = graphql(`
  query UfaConfig($id: ID!) {
    user(id: $id) { id version ufaConfig { debug logFile heartbeatInterval configInterval maxJobs version updatedAt } }
  }
`);
const Edit = graphql(`
  mutation EditUfaConfig($input: EditUfaConfigInput!) {
    editUfaConfig(input: $input) { userErrors { code message field } }
  }
`);

export function ConfigTab({ userId }: { userId: string }) {
  const queries = useQueryClient();
  const key = ["user", userId, "config"];
  const { data, error, isPending, refetch } = useQuery({
    queryKey: key,
    queryFn: ({ signal }) => ask(Config, { id: userId }, signal),
  });
  const user = data?.user;
  const form = useFormState(async (form) => {
    const input = {
      userId,
      debug: flag(form, "debug"),
      logFile: text(form, "logFile"),
      heartbeatInterval: number(form, "heartbeatInterval"),
      configInterval: number(form, "configInterval"),
      maxJobs: number(form, "maxJobs"),
      ...(user ? { expectedVersion: user.version } : {}),
    };
    const { editUfaConfig } = await send((commandId) => ask(Edit, { input: { ...input, commandId } }));
    const refusals = refusalsOf(editUfaConfig);
    if (refusals.length === 0) {
      announce("UFA config saved.");
      await queries.invalidateQueries({ queryKey: ["user", userId] });
    }
    return refusals;
  });
  if (isPending) return <Loading rows={5} />;
  if (error) return <ErrorBox error={error} onRetry={() => void refetch()} />;
  if (!user) return null;
  const config = user.ufaConfig;
  return (
    <Form className="stack" key={config.version} validationErrors={form.errors} onSubmit={form.submit}>
      <p className="hint">
        Version {config.version}
        {config.updatedAt ? `, changed ${ago(config.updatedAt)}` : ", as it came"}.
      </p>
      <div>
        <SwitchField name="debug" label="Debug log" defaultSelected={config.debug} />
        <Field name="logFile" label="Log file" hint="Empty for the agent's own default" defaultValue={config.logFile} />
        <NumberInput
          name="heartbeatInterval"
          label="Heartbeat interval"
          hint="Seconds"
          defaultValue={config.heartbeatInterval}
          min={1}
        />
        <NumberInput
          name="configInterval"
          label="Config interval"
          hint="Seconds between two looks at the config"
          defaultValue={config.configInterval}
          min={1}
        />
        <NumberInput name="maxJobs" label="Most jobs at a time" defaultValue={config.maxJobs} min={1} />
        {form.message && (
          <p role="alert" className="form-error">
            {form.message}
          </p>
        )}
        <Button className="button" data-kind="primary" type="submit" data-pending={form.isSending || undefined}>
          Save
        </Button>
      </div>
    </Form>
  );
}
