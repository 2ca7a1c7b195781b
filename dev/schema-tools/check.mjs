// Checks schemas/ as readers in JavaScript would: each schema of an event compiles in ajv's strict mode and takes its golden
// events, and the AsyncAPI document has nothing that its parser remarks on.

import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fromFile, Parser } from '@asyncapi/parser'
import { Ajv2020 } from 'ajv/dist/2020.js'

const schemas = process.argv[2]
const problems = []
const read = (...path) => JSON.parse(readFileSync(join(schemas, ...path), 'utf8'))

// One instance for all: a reader knows them together, so their ids must differ.
const ajv = new Ajv2020({ strict: true, allErrors: true })
const validators = new Map()
for (const file of readdirSync(join(schemas, 'events'))) {
  try {
    validators.set(basename(file, '.json'), ajv.compile(read('events', file)))
  } catch (error) {
    problems.push(`events/${file}: ${error.message}`)
  }
}

let golden = 0
let refused = 0
for (const file of readdirSync(join(schemas, 'fixtures'))) {
  const validate = validators.get(basename(file, '.json').split('@')[0])
  if (!validate) continue
  const event = read('fixtures', file)
  golden += 1
  if (!validate(event)) problems.push(`fixtures/${file}: ${ajv.errorsText(validate.errors)}`)
  for (const field of Object.keys(event)) {
    const { [field]: _, ...rest } = event
    if (!validate(rest)) refused += 1
  }
}
if (golden < validators.size) problems.push(`${golden} golden events for ${validators.size} schemas`)
if (refused < 20) problems.push(`only ${refused} golden events are refused when a field is taken away`)

const path = join(schemas, 'asyncapi.yaml')
const { document, diagnostics } = await fromFile(new Parser(), path).parse()
for (const { severity, message, path: at } of diagnostics) {
  problems.push(`asyncapi.yaml: ${['error', 'warning', 'information', 'hint'][severity]}: ${message} (${at.join('.')})`)
}
const operations = document?.operations().all() ?? []
const messages = operations.flatMap((operation) => operation.messages().all())
for (const channel of document?.channels().all() ?? []) {
  if (channel.operations().length === 0) problems.push(`asyncapi.yaml: no operation of ${channel.id()}`)
}
if (messages.length < validators.size) problems.push(`asyncapi.yaml: ${messages.length} messages have an operation`)

for (const problem of problems) console.error(problem)
console.log(`${validators.size} schemas, ${golden} golden events, ${operations.length} operations, ${messages.length} messages`)
process.exitCode = problems.length ? 1 : 0
