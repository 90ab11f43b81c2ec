/** 0.0123 as `1.23%`. */
export const share = (/** @type {number} */ part) => `${(100 * part).toFixed(2)}%`;
