import { conv2d, fromTypedArray, nn, type Tensor } from '@espalier/torch';

/** Jarrett et al. use a 9x9 window. They do not state its standard deviation; here it is a quarter of the window size. */
const WINDOW = 9;
const DEVIATION = WINDOW / 4;

/** Added under the square root, as in batch normalisation. Otherwise its gradient would be infinite for a constant map. */
const EPSILON = 1e-5;

/** A one-dimensional Gaussian over the window, with sum 1. The window is its outer product with itself. */
const gaussian = weightsOf(WINDOW, DEVIATION);

/**
 * Local contrast normalisation: Jarrett, Kavukcuoglu, Ranzato & LeCun 2009, "What is the Best Multi-Stage Architecture
 * for Object Recognition?", section 2.1. For each image, with maps i and pixels j, k,
 *
 *     v[i,j,k] = x[i,j,k] - sum over i,p,q of w[p,q] x[i,j+p,k+q]
 *     y[i,j,k] = v[i,j,k] / max(c, s[j,k])
 *     s[j,k]   = sqrt(1e-5 + sum over i,p,q of w[p,q] v[i,j+p,k+q]^2),  c = the mean of s over j, k
 *
 * where w is a 9x9 Gaussian window whose sum over all maps is 1. At the border, the part of the window inside the map is
 * rescaled to sum 1. The layer has no parameters.
 */
export class LocalContrastNorm extends nn.Layer {
  readonly drawnAs = 'local contrast norm';

  forward(input: Tensor): Tensor {
    const average = averaging(input);
    const centred = input.sub(average(input));
    const deviation = average(centred.mul(centred)).add(EPSILON).sqrt();
    const mean = deviation.mean([1, 2, 3], true);
    return centred.div(deviation.maximum(mean));
  }
}

/** Returns a function that takes the weighted mean around each pixel over all maps: [N, C, H, W] to [N, 1, H, W]. */
function averaging(input: Tensor): (maps: Tensor) => Tensor {
  const [, , height, width] = input.shape as [number, number, number, number];
  const onGrid = (rows: readonly number[], columns: readonly number[]): Tensor => {
    const values = rows.flatMap((row) => columns.map((column) => row * column));
    const array = input.dtype === 'float64' ? Float64Array.from(values) : Float32Array.from(values);
    const made = fromTypedArray(array, [1, 1, rows.length, columns.length]);
    const { dtype, device } = input;
    return made.dtype === dtype && made.device === device ? made : made.to({ dtype, device });
  };
  const window = onGrid(gaussian, gaussian);
  const scale = onGrid(inverseCoverage(height), inverseCoverage(width));
  const padding = (WINDOW - 1) / 2;
  return (maps) => conv2d(maps.mean(1, true), window, undefined, 1, padding).mul(scale);
}

function weightsOf(size: number, deviation: number): readonly number[] {
  const raw = Array.from({ length: size }, (_, index) =>
    Math.exp(-((index - (size - 1) / 2) ** 2) / (2 * deviation ** 2)),
  );
  const total = raw.reduce((sum, weight) => sum + weight, 0);
  return raw.map((weight) => weight / total);
}

/** For each of `size` pixels in a row: 1 divided by the weight of the part of the window that lies inside the row. */
function inverseCoverage(size: number): readonly number[] {
  const middle = (WINDOW - 1) / 2;
  return Array.from({ length: size }, (_, pixel) => {
    const inside = gaussian.filter(
      (_, index) => pixel + index - middle >= 0 && pixel + index - middle < size,
    );
    return 1 / inside.reduce((sum, weight) => sum + weight, 0);
  });
}
