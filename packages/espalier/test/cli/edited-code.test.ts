import { cpSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { journalOf, run } from './command.js';
import { suiteFolder } from './suite-folder.js';

const folder = suiteFolder();
const file = (name: string) => join(folder, name);
const choices = (values: string) => `export const filters = ${values};\n`;
const space = `import { choose, defineSpace, nn } from 'espalier';
import { filters } from './filters.ts';

export default defineSpace({
  name: 'plain',
  *choices() {
    return { filters: yield* choose('filters', filters) };
  },
  network({ filters: width }, { channels, classes }) {
    return new nn.Sequential(
      new nn.Conv2d(channels, width, 3, { stride: 3 }),
      new nn.ReLU(),
      new nn.AdaptiveAvgPool2d(1),
      new nn.Flatten(),
      new nn.Linear(width, classes),
    );
  },
});
`;

interface Best {
  readonly filters: number;
  readonly space: string;
  readonly spaceChecksum: string;
}

let best: Best;
let bestText: string;
const bestParams = () => (1 * 9 + 1) * best.filters + (best.filters + 1) * 10;

beforeAll(async () => {
  writeFileSync(file('plain.ts'), space);
  writeFileSync(file('filters.ts'), choices('[3, 4, 5]'));
  const search =
    'search --space ./plain.ts --strategy random --data mnist --limit 60 --trials 2 --epochs 1 --workers 1 --out run';
  const { code, stderr } = await run(search.split(' '), folder);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  bestText = readFileSync(file('run/best.json'), 'utf8');
  best = JSON.parse(bestText);
  cpSync(file('run'), file('killed'), { recursive: true });
  const journal = readFileSync(file('killed/journal.jsonl'), 'utf8').split('\n');
  // Killed before the result of the second child.
  writeFileSync(file('killed/journal.jsonl'), `${journal.slice(0, -3).join('\n')}\n`);
  rmSync(file('killed/snapshot.json'), { force: true });
  rmSync(file('killed/trials'), { recursive: true, force: true });
  writeFileSync(file('filters.ts'), choices('[30, 40, 50]'));
}, 60_000);

const note = (name: string) =>
  `note: the space's file ${file('filters.ts')}, which plain.ts imports, has changed; ` +
  `the run's copy of it is used, ${file(name)}/code/${best.spaceChecksum.slice(0, 16)}/plain.ts\n`;

describe('a run whose space imports a file that was edited afterwards', () => {
  it('has said in its journal what was decided, by values', () => {
    const trials = journalOf(file('run'))
      .map((line) => JSON.parse(line))
      .filter(({ event }) => event === 'trial');
    expect(trials.map(({ answers, architecture }) => [[3, 4, 5][answers[0]], architecture])).toEqual(
      trials.map(({ architecture }) => [architecture.filters, { filters: expect.any(Number) }]),
    );
    expect(best.space).toBe(file('plain.ts'));
    expect([3, 4, 5]).toContain(best.filters);
  });

  it.each([
    ['inspected', 'inspect run --json', () => ({ params: bestParams() })],
    ['exported', 'export run --format json', () => ({ filters: best.filters })],
    ['shown', 'show run --json', () => ({ best: { architecture: { filters: best.filters } } })],
  ])('is %s as it was measured, with one line that says so', async (_, command, expected) => {
    const { code, stdout, stderr } = await run(command.split(' '), folder);
    expect({ code, stderr }).toEqual({ code: 0, stderr: note('run') });
    expect(JSON.parse(stdout)).toMatchObject(expected());
    expect(readFileSync(file('run/best.json'), 'utf8')).toBe(bestText);
  });

  it('is trained as it was measured, in a run that is whole in itself', async () => {
    const train = 'train run --data mnist --limit 60 --epochs 1 --threads 1 --out trained';
    const { code, stderr } = await run(train.split(' '), folder);
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining(note('run')) });
    const inspected = await run(['inspect', 'trained', '--json'], folder);
    expect(JSON.parse(inspected.stdout)).toMatchObject({ params: bestParams() });
    // Elsewhere, without the search and the space.
    const elsewhere = suiteMoved('trained');
    renameSync(file('run'), file('run-away'));
    try {
      const alone = await run(['inspect', elsewhere, '--json'], folder);
      expect({ code: alone.code, stderr: alone.stderr }).toMatchObject({ code: 0 });
      expect(JSON.parse(alone.stdout)).toMatchObject({ params: bestParams() });
    } finally {
      renameSync(file('run-away'), file('run'));
    }
  });

  it('does not go on, names the file that changed, and goes on once it is as it was', async () => {
    const { code, stderr, stdout } = await run(['resume', 'killed'], folder);
    expect({ code, stdout, stderr }).toEqual({
      code: 2,
      stdout: '',
      stderr:
        `espalier: the space's file ${file('filters.ts')}, which plain.ts imports, has changed since the run was begun, ` +
        `so it would not go on as the same run; put back what was there (the run's copy is ` +
        `${file('killed')}/code/${best.spaceChecksum.slice(0, 16)}/plain.ts) or begin another run\n`,
    });
    writeFileSync(file('filters.ts'), choices('[3, 4, 5]'));
    expect((await run(['resume', 'killed'], folder)).code).toBe(0);
    writeFileSync(file('filters.ts'), choices('[30, 40, 50]'));
    expect(journalOf(file('killed'))).toEqual(journalOf(file('run')));
  });

  it('is not read with a copy that was changed too, and an architecture without a copy is refused', async () => {
    cpSync(file('run'), file('forged'), { recursive: true });
    writeFileSync(file(`forged/code/${best.spaceChecksum.slice(0, 16)}/filters.ts`), choices('[31, 41, 51]'));
    const forged = await run(['show', 'forged'], folder);
    expect(forged).toMatchObject({
      code: 2,
      stdout: '',
      stderr: `espalier: the space's file ${file('plain.ts')} has changed, and there is no copy of it in forged/code\n`,
    });
    expect(readFileSync(file('forged/best.json'), 'utf8')).toBe(bestText);
    writeFileSync(file('alone.json'), bestText);
    expect((await run(['inspect', 'alone.json'], folder)).stderr).toBe(
      `espalier: the space's file ${file('plain.ts')} has changed, and there is no copy of it in code\n`,
    );
    expect((await run(['inspect', 'run/best.json'], folder)).code).toBe(0);
  });

  it('goes on with its copy where the file is gone', async () => {
    cpSync(file('killed'), file('gone'), { recursive: true });
    const journal = readFileSync(file('gone/journal.jsonl'), 'utf8').split('\n');
    writeFileSync(file('gone/journal.jsonl'), `${journal.slice(0, -3).join('\n')}\n`);
    rmSync(file('gone/snapshot.json'), { force: true });
    rmSync(file('gone/trials'), { recursive: true, force: true });
    renameSync(file('plain.ts'), file('plain-away.ts'));
    try {
      const { code, stderr } = await run(['resume', 'gone'], folder);
      expect({ code, stderr }).toMatchObject({
        code: 0,
        stderr: expect.stringContaining(
          `the space's file ${file('plain.ts')} is gone; the run's copy of it is used`,
        ),
      });
    } finally {
      renameSync(file('plain-away.ts'), file('plain.ts'));
    }
    expect(journalOf(file('gone'))).toEqual(journalOf(file('run')));
    expect(existsSync(file('gone/best.json'))).toBe(true);
  });
});

function suiteMoved(name: string): string {
  const moved = file(`moved-${name}`);
  renameSync(file(name), moved);
  return moved;
}
