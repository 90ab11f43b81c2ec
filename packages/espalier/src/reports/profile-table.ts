import { type StepProfile, totalOf } from '../profiling/step-profile.js';
import { count, milliseconds, percent } from './figures.js';
import { textTable } from './text-table.js';

/** Where the time of a training step goes, operator by operator, for the terminal. */
export function profileTable(profile: StepProfile): string {
  const { whole, operators, outside } = profile;
  const total = totalOf(whole);
  const ms = (value: number) => (value === 0 ? '' : milliseconds(value));
  const times = (times: StepProfile['whole']) => [
    milliseconds(totalOf(times)),
    percent(totalOf(times) / total),
    ms(times.forward),
    ms(times.backward),
    ms(times.update),
  ];
  const calls = operators.reduce((sum, row) => sum + row.calls, 0);
  return textTable(
    [
      { heading: 'operator', numeric: false },
      ...['calls', 'ms', 'share', 'forward', 'backward', 'update', 'GFLOP/s'].map((heading) => ({
        heading,
        numeric: true,
      })),
    ],
    [
      ...operators.map((row) => [
        `${row.operator.replace(/^aten::|^torch::autograd::/, '')} ${row.kind}`.trim(),
        count(row.calls),
        ...times(row),
        row.multiplyAdds === 0 ? '' : gigaflops(row.multiplyAdds, row.forward).toFixed(1),
      ]),
      ['outside of operators', '', ...times(outside), ''],
      ['total', count(calls), ...times(whole), ''],
    ],
  );
}

/** Of the forward pass, a multiply-add as two operations. */
const gigaflops = (multiplyAdds: number, ms: number) => (2 * multiplyAdds) / (ms * 1e6);
