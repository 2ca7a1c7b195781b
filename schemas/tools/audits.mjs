// Runs the audits of GraphQL over HTTP against a URL. Advice (SHOULD) counts as much as a rule (MUST).
import { serverAudits } from "graphql-http";

const found = { ok: 0, notice: 0, warn: 0, error: 0 };
for (const audit of serverAudits({ url: process.argv[2] })) {
  const result = await audit.fn();
  found[result.status] += 1;
  if (result.status !== "ok") {
    console.log(`${result.status}: ${result.name} (${result.id}): ${result.reason}`);
  }
}
console.log(JSON.stringify(found));
process.exit(found.warn + found.error > 0 || found.ok === 0 ? 1 : 0);
