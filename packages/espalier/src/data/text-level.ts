/** What the tokens of a text are. */
export const LEVELS = ['word', 'character'] as const;

export type TextLevel = (typeof LEVELS)[number];

/**
 * The tokens of a line without its end.
 *
 * @param goesOn whether another word is to follow, after white space
 */
export type LineTokens = (words: readonly string[], goesOn: boolean) => Iterable<string>;

/**
 * How each level makes tokens of lines.
 *
 * Characters are Unicode code points, with one space between two words. `<unk>` is spelled, as five characters: so is it in
 * the Penn Treebank of characters (Mikolov et al. 2012) that published figures are for. There every character is a word of
 * its own and spaces are `_`; a text whose training part has no longer word, but for a whole `<unk>`, is taken as split
 * already, and its words are the tokens.
 *
 * @param isSplit whether no word of the training text but `<unk>` has more than one character
 */
export const lineTokens: Readonly<Record<TextLevel, (isSplit: () => boolean) => LineTokens>> = {
  word: () => (words) => words,
  character: (isSplit) =>
    isSplit() ? (words) => words : (words, goesOn) => words.join(' ') + (goesOn ? ' ' : ''),
};
