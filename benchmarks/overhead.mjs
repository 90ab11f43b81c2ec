/**
 * What a search takes besides its children and its steps: journal, snapshots, controller, messages between processes, and
 * workers that wait for each other.
 *
 *     npm run bench:overhead                               all of it
 *     npm run bench:overhead -- --only waiting --json      one part, as one JSON value on stdout
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { children } from './overhead/children.mjs';
import { darts } from './overhead/darts.mjs';
import { lookup } from './overhead/lookup.mjs';
import { waiting } from './overhead/waiting.mjs';

/** Each part measures, says a line for each figure, and returns the figures. */
const PARTS = { children, darts, waiting, lookup };

const { values } = parseArgs({
  options: { only: { type: 'string' }, json: { type: 'boolean', default: false } },
});
const { only, json } = values;
if (only !== undefined && !(only in PARTS)) {
  console.error(`--only ${only}: allowed: ${Object.keys(PARTS).join(', ')}`);
  process.exit(2);
}
const folder = mkdtempSync(join(tmpdir(), 'espalier-overhead-'));
const figures = {};
try {
  for (const [name, measure] of Object.entries(PARTS)) {
    if (only !== undefined && only !== name) continue;
    figures[name] = await measure(join(folder, name), (line) => (json ? console.error : console.log)(line));
  }
} finally {
  rmSync(folder, { recursive: true });
}
if (json) console.log(JSON.stringify(only === undefined ? figures : figures[only]));
