import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
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
      'data "prose:x": unknown kind "prose"; known: mnist, cifar10:DIR, images:DIR, text:DIR',
    );
  });
});
