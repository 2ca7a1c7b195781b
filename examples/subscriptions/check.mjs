// Subscribes to a Muster with graphql-ws and graphql-sse, and checks what they see, over a restart too.
//
//   npm ci && node check.mjs
//
// Muster is ../../target/release/muster, else ../../target/debug/muster, or the program that the variable MUSTER names. It
// runs in a temporary folder, on 127.0.0.1 and free ports, and is ended whatever happens.
// Exit codes: 0 all checks passed, 1 one failed, 2 could not run.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient as createSse } from 'graphql-sse';
import { createClient as createWs } from 'graphql-ws';
import WebSocket from 'ws';

const here = import.meta.dirname;
const built = ['release', 'debug'].map((profile) => join(here, '../../target', profile, 'muster'));
const program = process.env.MUSTER ?? built.find(existsSync);
if (!program) {
  console.error('There is no muster. Build it with `cargo build --release`, or set MUSTER.');
  process.exit(2);
}

const PASSWORD = 'a quiet harbour at dawn';
const EVENTS = `subscription ($after: Position) { userEvents(after: $after, types: ["muster.user.approved"]) {
  type userId sequence position } }`;
const folder = mkdtempSync(join(tmpdir(), 'muster-'));
let muster;

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

/** Starts Muster and returns the password of the first administrator, where it was made now. */
async function start(port) {
  const health = await freePort();
  const environment = {
    ...process.env,
    MUSTER_DATA_DIR: join(folder, 'data'),
    MUSTER_LISTEN: `127.0.0.1:${port}`,
    MUSTER_OPERATIONS_LISTEN: `127.0.0.1:${health}`,
    MUSTER_LOG_FILTER: 'warn',
  };
  muster = spawn(program, ['serve'], { env: environment, stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  muster.stdout.on('data', (chunk) => (said += chunk));
  const ready = async () => (await fetch(`http://127.0.0.1:${health}/readyz`)).ok;
  await until('Muster is ready', () => ready().catch(() => false));
  return said.match(/Password +(\S+)/)?.[1];
}

function stop() {
  return new Promise((resolve) => {
    if (muster.exitCode !== null) return resolve();
    muster.once('exit', resolve);
    muster.kill('SIGTERM');
  });
}

/** Asks again until it is so. */
async function until(what, isSo) {
  const end = Date.now() + 30_000;
  while (!(await isSo())) {
    assert.ok(Date.now() < end, `it never came true that ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function main() {
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const temporary = await start(port);
  let session;
  const ask = async (query, variables) => {
    const headers = { 'content-type': 'application/json', ...(session && { authorization: `Bearer ${session}` }) };
    const answer = await fetch(`${base}/graphql`, { method: 'POST', headers, body: JSON.stringify({ query, variables }) });
    const { data, errors } = await answer.json();
    assert.equal(errors, undefined, JSON.stringify(errors));
    return data;
  };
  const signIn = async (password) => {
    session = undefined;
    const query = 'mutation ($input: SignInInput!) { signIn(input: $input) { sessionToken } }';
    const data = await ask(query, { input: { username: 'administrator', password } });
    session = data.signIn.sessionToken;
  };
  const createUser = async (username, groupId) => {
    const query = 'mutation ($input: CreateUserInput!) { createUser(input: $input) { user { id } userErrors { code } } }';
    const { createUser: made } = await ask(query, { input: { username, groupId } });
    return made.user.id;
  };
  await signIn(temporary);
  await ask('mutation ($input: ChangePasswordInput!) { changePassword(input: $input) { userErrors { code } } }', {
    input: { currentPassword: temporary, newPassword: PASSWORD },
  });
  const made = await ask('mutation { createGroup(input: {name: "staff"}) { group { id } } }');
  const group = made.createGroup.group.id;

  // The clients take the session anew for each connection, and the variables as they are then.
  const clients = {
    'graphql-ws': createWs({
      url: `ws://127.0.0.1:${port}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: () => ({ authorization: `Bearer ${session}` }),
      retryAttempts: 20,
    }),
    'graphql-sse': createSse({
      url: `${base}/graphql/stream`,
      headers: () => ({ authorization: `Bearer ${session}` }),
      retryAttempts: 20,
    }),
  };
  const seen = {};
  for (const [name, client] of Object.entries(clients)) {
    const variables = {};
    const events = (seen[name] = []);
    client.subscribe(
      { query: EVENTS, variables },
      {
        next: ({ data, errors }) => {
          assert.equal(errors, undefined, JSON.stringify(errors));
          variables.after = data.userEvents.position;
          if (data.userEvents.type !== 'muster.position') events.push(data.userEvents.userId);
        },
        error: (error) => events.push(error),
        complete: () => events.push('complete'),
      },
    );
    await until(`${name} is told where it stands`, () => variables.after);
  }

  const expected = [];
  for (const username of ['alice', 'bob']) expected.push(await createUser(username, group));
  for (const name of Object.keys(clients)) {
    await until(`${name} sees who was approved`, () => seen[name].length >= 2);
    assert.deepEqual(seen[name], expected, name);
  }
  console.log('ok: both clients see events as they happen');

  await stop();
  await start(port);
  expected.push(await createUser('carol', group));
  for (const name of Object.keys(clients)) {
    await until(`${name} goes on after a restart`, () => seen[name].length >= 3);
    assert.deepEqual(seen[name], expected, name);
  }
  console.log('ok: after a restart each goes on where it was, and misses and repeats nothing');

  const query = await new Promise((resolve, reject) =>
    clients['graphql-sse'].subscribe({ query: '{ viewer { username } }' }, { next: resolve, error: reject, complete() {} }),
  );
  assert.equal(query.data.viewer.username, 'administrator');
  console.log('ok: a query has one answer');

  const ended = new Promise((resolve) => {
    clients['graphql-ws'].on('closed', (event) => resolve(event.code));
  });
  await ask('mutation { signOut { userErrors { code } } }');
  assert.equal(await ended, 4401);
  console.log('ok: a socket ends with its session');
  for (const client of Object.values(clients)) client.dispose();
}

try {
  await main();
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  await stop();
  rmSync(folder, { recursive: true, force: true });
}
