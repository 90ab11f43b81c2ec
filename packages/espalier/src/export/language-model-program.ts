import { type ProgramText, shapeOf } from './program-text.js';

/** The program of a language model: one step of the trace, and a loop over the tokens of a text. */
export const languageModelProgram: ProgramText = (trace) => {
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
};
