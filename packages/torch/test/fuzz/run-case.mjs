// Runs one case of a kernel, in its layouts and on its threads, and compares it with libtorch's operators on contiguous tensors.
import { fused, grad, scope, setThreads } from '../../dist/index.js';
import { native } from '../../dist/native.js';
import { chance, integer, oneOf } from './draws.mjs';
import { withMistake } from './mutations.mjs';
import { input, makeTensors } from './tensors.mjs';

export function drawCase(g, subject) {
  const args = subject.draw(g);
  const mistake = chance(g, 40) ? withMistake(g, args) : { args };
  return {
    ...mistake,
    threads: integer(g, 1, 3),
    leastWork: oneOf(g, 0, 0, 2 ** 22),
    // The layouts of the gradients that the outputs get.
    layouts: Array.from({ length: 4 }, () => input(g, []).layout),
    seed: integer(g, 0, 2 ** 30),
  };
}

/** What is wrong with a case, or undefined. */
export function runCase(subject, drawn) {
  setThreads(drawn.threads);
  const leastWork = native.setLeastWork(drawn.leastWork);
  try {
    let problem;
    // Values may differ by chance, where rounding decides which side of zero they fall on: a fault differs with all values.
    for (let attempt = 0; attempt < 3; attempt++) {
      problem = scope(() => compare(subject, drawn, drawn.seed + attempt));
      if (problem?.differs === undefined) return problem?.text;
    }
    return problem.text;
  } finally {
    native.setLeastWork(leastWork);
  }
}

function compare({ ours, theirs = ours, states = () => [] }, { args, mistake, layouts }, seed) {
  const own = outcome(ours, states, makeTensors(args, seed, true), layouts, seed);
  if (own.error !== undefined) {
    if (!isClear(own.error)) return { text: `unclear error: ${own.error.stack}` };
    return mistake === undefined ? { text: `refused: ${own.error.message}` } : undefined;
  }
  // Tensors without values, which libtorch's own operators pass on.
  if (own.results === undefined) return undefined;
  const other = fused.withoutKernels(() =>
    outcome(theirs, states, makeTensors(args, seed, false), layouts, seed),
  );
  if (other.error !== undefined) return { text: `accepted, but libtorch says: ${other.error.message}` };
  for (const [place, expected] of other.results.entries()) {
    const text = difference(own.results[place], expected, mistake);
    if (text !== undefined) return { text, differs: true };
  }
  return undefined;
}

/** Outputs, states and gradients of a case, or the error. */
function outcome(run, states, { args, tensors }, layouts, seed) {
  try {
    const outputs = run(args);
    const changed = states(args);
    if ([...outputs, ...changed].some(({ device }) => device === 'meta')) return {};
    const results = [
      ...outputs.map((tensor, place) => shown(`output ${place}`, tensor)),
      ...changed.map((tensor, place) => shown(`state ${place}`, tensor)),
    ];
    const learned = tensors.filter(({ requiresGrad }) => requiresGrad);
    const isDifferentiable = (_, place) => outputs[place].requiresGrad;
    if (!outputs.some(isDifferentiable)) return { results };
    const described = outputs.map(({ shape, dtype }, place) => ({
      ...{ isTensor: true, shape: [...shape], dtype, values: 'normal', learned: false },
      layout: layouts[place % layouts.length],
    }));
    const gradients = makeTensors(described, seed + 1, true).args.filter(isDifferentiable);
    const given = grad(outputs.filter(isDifferentiable), learned, { gradients, allowUnused: true });
    results.push(
      ...given.map((tensor, place) => shown(`gradient ${place}`, tensor ?? learned[place].mul(0))),
    );
    return { results };
  } catch (error) {
    return { error };
  }
}

const shown = (name, tensor) => ({
  name,
  shape: tensor.shape,
  dtype: tensor.dtype,
  values: tensor.toNumbers(),
});

function difference(own, expected, mistake) {
  const { name, shape, dtype, values } = expected;
  if (String(own?.shape) !== String(shape) || own?.dtype !== dtype)
    return `${name} is ${own?.dtype} [${own?.shape}], by libtorch ${dtype} [${shape}]`;
  let size = 0.1;
  for (const value of values) if (Number.isFinite(value)) size = Math.max(size, Math.abs(value));
  const tolerance = size * (dtype === 'float64' ? 1e-7 : dtype === 'float32' ? 2e-3 : 0);
  for (const [place, value] of values.entries()) {
    const other = own.values[place];
    if (Object.is(value, other) || value === other || Math.abs(value - other) <= tolerance) continue;
    // A momentum of 2^53, say, overflows in another operation.
    if (mistake !== undefined && !Number.isFinite(value) && !Number.isFinite(other)) continue;
    return `${name}[${place}] of ${dtype} [${shape}] is ${other}, by libtorch ${value}`;
  }
  return undefined;
}

/** Whether a user learns from an error which operator has got what. */
function isClear({ code, message }) {
  // Kernels leave some types to libtorch's operators, whose messages are theirs.
  if (message.startsWith('aten::')) return true;
  if (/INTERNAL ASSERT|std::|_M_|lazy allocation|unknown C\+\+/.test(message)) return false;
  return (
    code === 'ERR_TORCH' ||
    /^(relu_conv_norm|pool_norm|normalise|batch_norm_relu|mixed_recurrence): /.test(message)
  );
}
