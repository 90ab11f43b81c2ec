import { describe, expect, it } from 'vitest';
import { traceForExport } from '../../src/export/exported-trace.js';
import { InputError } from '../../src/input-error.js';
import type { OperatorCall, OperatorTrace } from '../../src/networks/operator-trace.js';

const call = (operator: string, args: readonly unknown[], ...shapes: readonly (readonly number[])[]) =>
  ({ operator, module: '', args, shapes, memory: [] }) as unknown as OperatorCall;

/** A network from `row`, [batch, 3], that calls these operators. */
const network =
  (callsOf: (batch: number) => OperatorCall[], asked: number[] = []) =>
  (batch: number): OperatorTrace => {
    asked.push(batch);
    const calls = callsOf(batch);
    return {
      inputs: { row: { dtype: 'float32', shape: [batch, 3] } },
      calls,
      outputs: { prediction: { from: 'call', call: calls.length - 1, result: 0 } },
    };
  };

describe('a trace for exporters', () => {
  it('says which sizes and which arguments follow the batch', () => {
    const asked: number[] = [];
    const { inputs, calls, outputs } = traceForExport(
      network((batch) => [call('aten::view', ['x', [batch, 3], 7], [batch, 3], [4, 3 * batch])], asked),
      'ONNX',
    );
    expect(asked).toEqual([1, 0]);
    expect([...inputs]).toEqual([['row', { dtype: 'float32', shape: [null, 3] }]]);
    expect(calls[0]).toMatchObject({
      shapes: [
        [null, 3],
        [4, null],
      ],
      batchDependent: new Set([1]),
      where: 'export to ONNX: aten::view, call 1 of the network, with the result [1,3]',
    });
    expect([...outputs]).toEqual([['prediction', { from: 'call', call: 0, result: 0 }]]);
  });

  it('takes a batch of two where a network cannot work on none', () => {
    const asked: number[] = [];
    const { calls } = traceForExport(
      network((batch) => {
        if (batch === 0) throw new Error('cannot reshape tensor of 0 elements');
        return [call('aten::relu', ['x'], [batch, 3])];
      }, asked),
      'PyTorch',
    );
    expect(asked).toEqual([1, 0, 2]);
    expect(calls[0]?.shapes).toEqual([[null, 3]]);
  });

  it.each<[string, (batch: number) => OperatorCall[], string]>([
    [
      'more operators',
      (batch) => Array.from({ length: 2 - Math.min(1, batch) }, () => call('aten::relu', [], [batch])),
      'export to ONNX: the network calls other operators for another batch; allowed: the same ones',
    ],
    [
      'another operator',
      (batch) => [call(batch === 1 ? 'aten::relu' : 'aten::tanh', [], [batch])],
      'export to ONNX: the network calls other operators for another batch; allowed: the same ones',
    ],
    [
      'a result with another number of dimensions',
      (batch) => [call('aten::squeeze', ['x'], batch === 1 ? [3] : [batch, 3])],
      'export to ONNX: aten::squeeze, call 1 of the network, with the result [3]: another batch changes the number of its dimensions',
    ],
  ])('refuses a network that has %s for another batch', (_, callsOf, message) => {
    expect(() => traceForExport(network(callsOf), 'ONNX')).toThrow(new InputError(message));
  });
});
