import { pngSize } from '../data/png.js';
import { drawPictureRows } from '../drawing/picture-rows-svg.js';
import type { Report } from '../drawing/report-html.js';

/**
 * What a network makes of a few inputs.
 *
 * @param samples PNG files of pictures side by side: the image, the truth, the prediction
 * @param part the data that they are of: `test`
 */
export function sampleSections(
  samples: readonly { readonly name: string; readonly png: Uint8Array }[],
  part: string,
): Report['sections'] {
  if (samples.length === 0) return [];
  const heading = `Predictions on the ${part} data`;
  return [
    {
      heading,
      text: 'Side by side: the image, the truth, and what the network makes of it, in the colours of the classes. Black belongs to no class.',
      svg: drawPictureRows({
        title: heading,
        rows: samples.map(({ name, png }) => ({ name, png, ...pngSize(png) })),
      }),
    },
  ];
}
