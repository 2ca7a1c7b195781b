// Generates code from every schema of an event, as readers do, and checks that no field got lost on the way.

import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compileFromFile } from 'json-schema-to-typescript'

const events = join(process.argv[2], 'events')
const quicktype = fileURLToPath(new URL('node_modules/.bin/quicktype', import.meta.url))
const problems = []

/** The names of all fields that a schema describes, wherever they stand. */
function fields(schema) {
  if (schema === null || typeof schema !== 'object') return []
  const own = Array.isArray(schema) ? [] : Object.keys(schema.properties ?? {})
  const below = Object.entries(schema).flatMap(([keyword, value]) =>
    keyword === 'properties' || keyword === '$defs' ? Object.values(value).flatMap(fields) : fields(value),
  )
  return [...new Set([...own, ...below])]
}

function check(tool, file, code) {
  const lost = fields(JSON.parse(readFileSync(join(events, file), 'utf8'))).filter((name) => !new RegExp(`\\b${name}\\b`).test(code))
  if (lost.length > 0) problems.push(`${tool} loses ${lost.join(', ')} of ${file}`)
}

const files = readdirSync(events)
for (const file of files) {
  check('json-schema-to-typescript', file, await compileFromFile(join(events, file)))
  for (const lang of ['typescript', 'go']) {
    const typed = ['--src-lang', 'schema', '--lang', lang, '--just-types', join(events, file)]
    check(`quicktype (${lang})`, file, execFileSync(quicktype, typed, { encoding: 'utf8' }))
  }
}
for (const problem of problems) console.error(problem)
console.log(`code was generated from ${files.length} schemas`)
process.exitCode = problems.length ? 1 : 0
