import { basename, resolve } from 'node:path';
import { z } from 'zod';
import type { Json } from '../json.js';
import { Table } from '../tables/table.js';
import { tableOptions } from '../tables/table-options.js';
import { defineEstimator } from './estimator-definition.js';

const options = z.strictObject({
  file: z.string().describe('the table: CSV or JSON lines, also gzipped'),
  ...tableOptions.shape,
});

/** Looks trials up in a table of measured architectures, instead of training anything. */
export const table = defineEstimator<z.output<typeof options>>({
  name: 'table',
  options,
  open({ space, options: { file, ...given }, folder }) {
    const path = resolve(folder, file);
    const opened = Table.open(path, space, given);
    return {
      objectives: opened.objectives,
      costUnit: 'simulated seconds',
      source: { name: basename(path), checksum: opened.checksum },
      options: JSON.parse(JSON.stringify({ ...given, file: path })) as Record<string, Json>,
      estimate(trial) {
        const { seen, cost } = opened.look(trial);
        return { measures: { [opened.objectives[0].name]: seen }, cost };
      },
    };
  },
});
