const layoutNames = { default: 'PyTorch, default layout', channels_last: 'PyTorch, channels_last' };
const units = {
  step: { factor: 1e3, name: 'ms/step' },
  image: { factor: 1e6, name: 'us/image' },
  call: { factor: 1e6, name: 'us/call' },
};

/** @typedef {Awaited<ReturnType<typeof import('./compare.mjs').compare>>} Result */

/**
 * Formats a result for the terminal.
 * @param {Result} result
 */
export function describeResult(result) {
  const lines = [
    `\n${result.name} (${describeSettings(result.settings)}); losses agree to ${result.largest_loss_difference.toExponential(0)}`,
    row('Espalier', result.ours_s, result, `${megabytes(result.ours_peak_mb)}${shares(result)}`),
  ];
  for (const [what, peak] of Object.entries(result.comparison_peaks_mb))
    lines.push(
      `  ${what}: ${megabytes(peak)}; this benchmark needs ${(result.ours_peak_mb / peak).toFixed(2)} times as much`,
    );
  for (const layout of /** @type {const} */ (['default', 'channels_last'])) {
    const seconds = result[`pytorch_${layout}_s`];
    const fault = result.pytorch_faults[layout];
    if (fault !== undefined) lines.push(`  ${layoutNames[layout]}: ${fault}`);
    if (seconds === null) continue;
    const ratio = result[`ratio_${layout}`];
    const [low, high] = result[`ratio_${layout}_spread`];
    const target = result.targets[layout];
    const verdict =
      target === undefined ? '' : `; target ${target.toFixed(2)}: ${ratio >= target ? 'met' : 'MISSED'}`;
    const speedup = `speedup ${ratio.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)}${verdict})`;
    const peak = megabytes(result[`pytorch_${layout}_peak_mb`]);
    lines.push(row(layoutNames[layout], seconds, result, `${peak}, ${speedup}`));
  }
  return lines.join('\n');
}

/** @param {Record<string, any>} settings */
export function describeSettings(settings) {
  return Object.entries(settings)
    .map(([key, value]) => `${key} ${typeof value === 'object' ? Object.values(value).join('/') : value}`)
    .join(', ');
}

/** @param {Result} result */
function shares({ flop, unfused_bytes, share_of_multiply_adds, share_of_copy }) {
  const parts = [];
  if (share_of_multiply_adds >= 0.005)
    parts.push(
      `; ${(flop / 1e9).toPrecision(3)} GFLOP, ${percent(share_of_multiply_adds)} of the multiply-add rate`,
    );
  if (share_of_copy >= 0.005)
    parts.push(
      `; ${(unfused_bytes / 1e9).toPrecision(3)} GB without fusion, ${percent(share_of_copy)} of the copy rate`,
    );
  return parts.join('');
}

/**
 * @param {string} side
 * @param {number} seconds
 * @param {Result} result
 * @param {string} rest
 */
function row(side, seconds, result, rest) {
  return `  ${side.padEnd(24)} ${describeTime(seconds, result).padStart(20)}  ${rest}`;
}

/**
 * @param {number} seconds
 * @param {Pick<Result, 'unit'>} result
 */
export function describeTime(seconds, { unit }) {
  const { factor, name } = units[unit];
  const value = seconds * factor;
  return `${value < 1000 ? value.toPrecision(3) : value.toFixed(0)} ${name}`;
}

export const percent = (/** @type {number} */ share) => `${(share * 100).toFixed(0)}%`;
const megabytes = (/** @type {number} */ value) => `${value.toFixed(0)} MB`;
