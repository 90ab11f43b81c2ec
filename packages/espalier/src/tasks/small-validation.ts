/**
 * A note on a validation part that is so small that chance decides which architecture looks best.
 *
 * @param count inputs of the part; 0: nothing is validated on
 * @param least with fewer inputs there is a note
 * @param inputs `images`
 * @param consequence the end of the sentence
 */
export function smallValidationNote(
  count: number,
  { least, inputs, consequence }: { least: number; inputs: string; consequence: string },
): string[] {
  if (count === 0 || count >= least) return [];
  return [`Only ${count.toLocaleString('en')} ${inputs} validate: ${consequence}`];
}
