import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { openData, openTextData } from '../../src/data/open-data.js';
import { openText } from '../../src/data/text.js';
import { InputError } from '../../src/input-error.js';
import { temporaryFolder } from '../runs/temporary-folder.js';

/** A folder of files by their names. */
function folderOf(files: Readonly<Record<string, string | Buffer>>): string {
  const folder = join(temporaryFolder(), 'text');
  mkdirSync(folder);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

const wiki = {
  'wiki.train.tokens': ' \n = Lobster = \n the lobster of the sea\n',
  'wiki.valid.tokens': 'the <unk> sea\n',
  'wiki.test.tokens': 'new words\n',
};

describe('a text', () => {
  it('is numbered as its words first appear, with an end after every line', () => {
    const { vocabulary, train, validation, test } = openText(folderOf(wiki));
    expect(vocabulary).toEqual([
      '<eos>',
      '=',
      'Lobster',
      'the',
      'lobster',
      'of',
      'sea',
      '<unk>',
      'new',
      'words',
    ]);
    expect([...train]).toEqual([0, 1, 2, 1, 0, 3, 4, 5, 3, 6, 0]);
    expect([...validation]).toEqual([3, 7, 6, 0]);
    expect([...test]).toEqual([8, 9, 0]);
  });

  // [hex(ord(c)) for c in map(chr, range(0x110000)) if len(f'a{c}b'.split()) == 2]
  const spaces = [
    ...[
      0x9, 0xa, 0xb, 0xc, 0xd, 0x1c, 0x1d, 0x1e, 0x1f, 0x20, 0x85, 0xa0, 0x1680, 0x2000, 0x2001, 0x2002,
      0x2003,
    ],
    ...[0x2004, 0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200a, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000],
  ];
  /** The words of a training text; the other parts have none of their own. */
  const wordsOf = (train: string) =>
    openText(folderOf({ 'train.txt': train, 'valid.txt': '\n\n<eos>', 'test.txt': '<eos>' })).vocabulary;

  it("is split into words at the white space of Python's str.split()", () => {
    const text = spaces.map((space) => `a${String.fromCodePoint(space)}b`).join('\n');
    expect(wordsOf(text).toSorted()).toEqual(['<eos>', 'a', 'b']);
  });

  it('is split nowhere else', () => {
    const inside = Array.from({ length: 0xffff }, (_, i) => i + 1).filter(
      (point) => !spaces.includes(point) && (point < 0xd800 || point > 0xdfff),
    );
    const words = inside.map((point) => `a${String.fromCodePoint(point)}b`);
    expect(wordsOf(words.join(' '))).toEqual([...words, '<eos>']);
  });

  it("has the lines of Python's open(): LF, CR LF and CR end one, and nothing else does", () => {
    const { vocabulary, train } = openText(
      folderOf({ ...wiki, 'wiki.train.tokens': '\ufeffa b\r\nb\rb\n\r\n\u2028b\u000cb\u0085\r' }),
    );
    expect(vocabulary.slice(0, 3)).toEqual(['\ufeffa', 'b', '<eos>']);
    expect([...train]).toEqual([0, 1, 2, 1, 2, 1, 2, 2, 1, 1, 2]);
  });

  const wikitext = fileURLToPath(new URL('../../../../../shared/data/wikitext-2', import.meta.url));

  it('of WikiText-2 has the words and tokens that Python counts', ({ skip }) => {
    skip(!existsSync(wikitext), `${wikitext} is not there`);
    const { vocabulary, train, validation, test } = openText(wikitext);
    expect(vocabulary).toHaveLength(33_278);
    expect([train.length, validation.length, test.length]).toEqual([2_088_628, 217_646, 245_569]);
  });

  it('may be named as Penn Treebank is, and need not end with a line end', () => {
    const folder = folderOf({
      'ptb.train.txt': 'a b',
      'ptb.valid.txt': 'b',
      'ptb.test.txt': 'a',
      README: 'train',
    });
    expect([...openText(folder).train]).toEqual([0, 1, 2]);
  });

  it('has a checksum of its words in their places', () => {
    const checksum = (files: Readonly<Record<string, string>>) => openText(folderOf(files)).checksum();
    expect(checksum(wiki)).toMatch(/^[0-9a-f]{64}$/);
    expect(checksum(wiki)).toBe(checksum(wiki));
    expect(checksum({ ...wiki, 'wiki.test.tokens': 'words new\n' })).not.toBe(checksum(wiki));
    // The same numbers under other words.
    expect(checksum({ ...wiki, 'wiki.test.tokens': 'New words\n' })).not.toBe(checksum(wiki));
  });

  it('of characters is their code points, with one space between words; <unk> is spelled', () => {
    const folder = folderOf({
      'train.txt': ' a  戦𝔸\n\n',
      'valid.txt': 'a <unk>\n',
      'test.txt': '\tn\n',
    });
    const { level, vocabulary, train, validation, test } = openText(folder, 'character');
    expect(level).toBe('character');
    expect(vocabulary).toEqual(['a', ' ', '戦', '𝔸', '<eos>', '<', 'u', 'n', 'k', '>']);
    expect([...train]).toEqual([0, 1, 2, 3, 4, 4]);
    expect([...validation]).toEqual([0, 1, 5, 6, 7, 8, 9, 4]);
    expect([...test]).toEqual([7, 4]);
    expect(openText(folder).level).toBe('word');
    expect(openTextData(`text:${folder}`, 'character').vocabulary).toEqual(vocabulary);
    expect(openText(folder, 'character').checksum()).not.toBe(openText(folder).checksum());
  });

  it('that is split into characters already has these as its characters', () => {
    const split = { 'train.txt': 'a _ <unk> b\n', 'valid.txt': 'b\n', 'test.txt': '_\n' };
    const { vocabulary, train } = openText(folderOf(split), 'character');
    expect(vocabulary).toEqual(['a', '_', '<unk>', 'b', '<eos>']);
    expect([...train]).toEqual([0, 1, 2, 3, 4]);
    // One longer word in the training text, and it is not.
    const whole = { ...split, 'train.txt': 'a bc\n' };
    expect(openText(folderOf(whole), 'character').vocabulary.slice(0, 4)).toEqual(['a', ' ', 'b', 'c']);
  });

  it.each<[string, Readonly<Record<string, string | Buffer>>, string]>([
    ['a part that is missing', { 'a.train.txt': 'a', 'a.test.txt': 'a' }, "has no file for the part 'valid'"],
    [
      'a part that is there twice',
      { ...wiki, 'old.train.txt': 'a' },
      "has old.train.txt and wiki.train.tokens for the part 'train'",
    ],
    ['a file without a word', { ...wiki, 'wiki.valid.tokens': ' \n\n' }, 'has no word (3 bytes)'],
    ['bytes that are no text', { ...wiki, 'wiki.test.tokens': Buffer.from([0xff, 0x41]) }, 'is not UTF-8'],
  ])('is refused for %s', (_, files, message) => {
    const folder = folderOf(files);
    expect(() => openText(folder)).toThrow(InputError);
    expect(() => openText(folder)).toThrow(message);
  });

  it('is refused for a folder that is not there', () => {
    expect(() => openText('/nowhere/text')).toThrow(
      '/nowhere/text: does not exist; expected a folder of the files train',
    );
  });

  it('is not taken for images, nor images for a text', () => {
    expect(() => openData('text:x')).toThrow(
      'the kind "text" is not images; allowed here: mnist, cifar10:DIR',
    );
    expect(() => openTextData('mnist')).toThrow('the kind "mnist" is not a text; allowed here: text:DIR');
    expect(() => openTextData('prose:x')).toThrow(
      'data "prose:x": unknown kind "prose"; known: mnist, cifar10:DIR, images:DIR, text:DIR, camvid:DIR',
    );
  });
});
