import type { nn } from '@espalier/torch';
import type { Json } from '../json.js';
import { version } from '../version.js';
import type { ExportMetadata } from './export-metadata.js';
import { type TraceOfBatch, traceForExport } from './exported-trace.js';
import type { ProgramText } from './program-text.js';
import { pytorchClasses } from './pytorch-classes.js';
import { ModuleTree } from './pytorch-modules.js';

/**
 * A network as a Python program: a class `Network`, a `torch.nn.Module` whose parameters and buffers have the names of
 * the network's, and `load`, which reads their values from a safetensors file of the program's own name beside it
 * (`darts.py` and `darts.safetensors`). It needs PyTorch, from 1.13, and nothing else. The classes of its modules are
 * named as the network's; modules that differ in sizes only share one.
 *
 * It is written from what the network does when it evaluates; batch norm and dropout layers know training. What else
 * training does, such as dropping paths, is not in it.
 *
 * @param title what the network is, for the first line of the program
 * @param traceOf runs the network on a batch
 * @param programText what the program says and does around the network
 * @param metadata what else using the network takes, for the constant `METADATA`
 * @throws InputError for an operator that the exporter does not know, and where what the network does depends on the
 * size of the batch
 */
export function exportPytorch(
  title: string,
  network: nn.Module,
  traceOf: TraceOfBatch,
  programText: ProgramText,
  metadata: ExportMetadata = {},
): string {
  const trace = traceForExport(traceOf, 'PyTorch');
  const text = programText(trace);
  const classes = pytorchClasses(new ModuleTree(network, trace), trace, text);
  return `${opening(title, text.usage)}${metadataOf(metadata)}\n\n\n${classes}\n\n\n${ending(text.example)}`;
}

/** The constant `METADATA` of the program; nothing where there is none. */
function metadataOf(metadata: ExportMetadata): string {
  const entries = Object.entries(metadata);
  if (entries.length === 0) return '';
  const rows = entries.map(([key, value]) => `    ${literal(key)}: ${literal(value)},\n`);
  return `\n\n# What the network was trained for and on: whoever uses it needs this besides the weights.\nMETADATA = {\n${rows.join('')}}`;
}

/** A value as Python writes it. */
function literal(value: Json): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  return `{${Object.entries(value)
    .map(([key, item]) => `${literal(key)}: ${literal(item)}`)
    .join(', ')}}`;
}

const opening = (
  title: string,
  usage: readonly string[],
): string => `"""${title.replaceAll('\\', '/').replaceAll('"', "'")}. Exported by Espalier ${version}.

    network = load()  # with the weights of the .safetensors file beside this one
${usage.map((line) => `    ${line}`).join('\n')}

\`Network()\` alone begins with PyTorch's initial weights, and with zeros where a parameter is not one of its layers'.
Batch norm and dropout layers follow \`train()\` and \`eval()\`; what else training may do (dropping paths, variational
dropout, an auxiliary head) is left to the one who trains.
"""

import json
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn`;

const ending = (example: readonly string[]): string => `def read_safetensors(path):
    """The tensors of a file in the format of https://github.com/huggingface/safetensors, by their names."""
    dtypes = {
        'F64': torch.float64, 'F32': torch.float32, 'F16': torch.float16, 'BF16': torch.bfloat16,
        'I64': torch.int64, 'I32': torch.int32, 'I16': torch.int16, 'I8': torch.int8,
        'U8': torch.uint8, 'BOOL': torch.bool,
    }
    data = bytearray(Path(path).read_bytes())
    start = 8 + int.from_bytes(data[:8], 'little')
    tensors = {}
    for name, entry in json.loads(data[8:start]).items():
        if name == '__metadata__':
            continue
        begin, end = entry['data_offsets']
        dtype = dtypes[entry['dtype']]
        if begin == end:
            tensors[name] = torch.empty(entry['shape'], dtype=dtype)
        else:
            values = torch.frombuffer(data[start + begin:start + end], dtype=dtype)
            tensors[name] = values.reshape(entry['shape'])
    return tensors


def load(weights=None):
    """The network with the weights of a file: the one beside this program where none is named. It is set to evaluate."""
    network = Network()
    network.load_state_dict(read_safetensors(weights or Path(__file__).with_suffix('.safetensors')))
    return network.eval()


if __name__ == '__main__':
    network = load()
    print(f'{sum(parameter.numel() for parameter in network.parameters()):,} parameters')
${example.map((line) => `    ${line}`).join('\n')}
`;
