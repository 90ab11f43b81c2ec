const layoutNames = { default: 'PyTorch, default layout', channels_last: 'PyTorch, channels_last' };

/**
 * A result as people read it.
 * @param {Awaited<ReturnType<typeof import('./compare.mjs').compare>>} result
 */
export function describeResult(result) {
  const settings = Object.entries(result.settings).map(
    ([key, value]) => `${key} ${Array.isArray(value) ? value.join('/') : value}`,
  );
  const lines = [`\n${result.name} (${settings.join(', ')})`];
  const share =
    result.ours_gflops === null
      ? ''
      : `, ${result.ours_gflops.toFixed(0)} GFLOP/s: ${percent(result.ours_gflops / result.limits.matrix_product_gflops)} of a matrix product`;
  lines.push(row('ours', result.ours_s, result.unit, `${megabytes(result.ours_peak_mb)}${share}`));
  for (const layout of /** @type {const} */ (['default', 'channels_last'])) {
    const seconds = result[`pytorch_${layout}_s`];
    if (seconds === null) continue;
    const peak = layout === 'default' ? result.pytorch_default_peak_mb : result.pytorch_peak_mb;
    const ratio = result[`ratio_${layout}`];
    const [low, high] = result[`ratio_${layout}_spread`];
    const target = result.targets[layout];
    const verdict =
      target === undefined ? '' : `; target ${target.toFixed(2)}: ${ratio >= target ? 'met' : 'MISSED'}`;
    const times = `ours is ${ratio.toFixed(2)} times as fast (${low.toFixed(2)} to ${high.toFixed(2)}${verdict})`;
    lines.push(row(layoutNames[layout], seconds, result.unit, `${megabytes(peak)}, ${times}`));
  }
  return lines.join('\n');
}

const units = { step: { factor: 1e3, name: 'ms a step' }, call: { factor: 1e6, name: 'us a call' } };

/**
 * @param {string} side
 * @param {number} seconds
 * @param {keyof typeof units} unit
 * @param {string} rest
 */
function row(side, seconds, unit, rest) {
  const { factor, name } = units[unit];
  return `  ${side.padEnd(24)} ${(seconds * factor).toFixed(2).padStart(9)} ${name}  ${rest}`;
}

const percent = (/** @type {number} */ share) => `${(share * 100).toFixed(0)}%`;
const megabytes = (/** @type {number} */ value) => `${value.toFixed(0)} MB`;
