import { LanguageModel } from '../networks/language-model.js';
import { version } from '../version.js';
import { type BatchedTrace, type Exported, type Shape, traceForExport } from './exported-trace.js';
import { type NetworkText, pytorchClasses } from './pytorch-classes.js';
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
 * @throws InputError for an operator that the exporter does not know, and where what the network does depends on the
 * size of the batch
 */
export function exportPytorch(title: string, ...exported: Exported): string {
  const [network] = exported;
  const trace = traceForExport(exported, 'PyTorch');
  const isModel = network instanceof LanguageModel;
  const text = isModel ? modelText(trace) : classifierText(trace);
  const classes = pytorchClasses(new ModuleTree(network, trace), trace, text);
  return `${opening(title, text.usage)}\n\n\n${classes}\n\n\n${ending(text.example)}`;
}

interface ProgramText extends NetworkText {
  /** Lines that use the loaded network. */
  readonly usage: readonly string[];
  /** Lines that run it on zeros and print what comes out. */
  readonly example: readonly string[];
}

const dimensions = (shape: Shape): string => `[${shape.map((size) => size ?? 'N').join(', ')}]`;

function shapeOf(trace: BatchedTrace, output: string): Shape {
  const tensor = trace.outputs.get(output);
  return tensor?.from === 'call' ? (trace.calls[tensor.call]?.shapes[tensor.result] as Shape) : [];
}

function classifierText(trace: BatchedTrace): ProgramText {
  const image = trace.inputs.get('image')?.shape as Shape;
  const does = `${dimensions(image)} to the logits ${dimensions(shapeOf(trace, 'logits'))}`;
  return {
    entry: 'forward',
    docstring: `Images ${does}.`,
    methods: [],
    usage: [`logits = network(images)  # ${does}`],
    example: [
      `images = torch.zeros(${image.map((size) => size ?? 1).join(', ')})`,
      "print(f'{list(images.shape)} to {list(network(images).shape)}')",
    ],
  };
}

function modelText(trace: BatchedTrace): ProgramText {
  const states = [...trace.inputs].filter(([name]) => name !== 'tokens');
  const zeros = states.map(
    ([, { shape }]) => `like.new_zeros(${shape.map((size) => size ?? 'texts').join(', ')})`,
  );
  // A method that returns one tensor returns no tuple.
  const step =
    states.length === 0
      ? 'log_probabilities = self.step(token)'
      : 'log_probabilities, *state = self.step(token, *state)';
  const vocabulary = shapeOf(trace, 'logProbabilities').at(-1);
  return {
    entry: 'step',
    docstring: `A language model of ${vocabulary} tokens. \`step\` goes on by one token of each text, [1, N].`,
    methods: [
      `def initial_state(self, texts):
    like = next(self.parameters())
    return ${zeros.length === 0 ? '()' : `(${zeros.join(', ')},)`}`,
      `def forward(self, tokens, state=None):
    """Tokens [T, N] to the log-probabilities [T, N, ${vocabulary}] of what comes next, and the state to go on from."""
    if state is None:
        state = self.initial_state(tokens.shape[1])
    results = []
    for token in tokens.split(1):
        ${step}
        results.append(log_probabilities)
    return torch.cat(results), tuple(state)`,
    ],
    usage: [
      `log_probabilities, state = network(tokens)  # [T, N] to [T, N, ${vocabulary}]`,
      'log_probabilities, state = network(more, state)  # goes on',
    ],
    example: [
      'tokens = torch.zeros(2, 1, dtype=torch.int64)',
      "print(f'{list(tokens.shape)} to {list(network(tokens)[0].shape)}')",
    ],
  };
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
