import { createHash } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openImageFolders } from '../../src/data/image-folders.js';
import { InputError } from '../../src/input-error.js';
import { writeImage, writeImageFolders } from './image-files.js';

let parent: string;
let folder: string;
let file: string;
beforeEach(async () => {
  parent = mkdtempSync(join(tmpdir(), 'espalier-checksum-'));
  folder = await writeImageFolders(join(parent, 'images'), [2, 1, 1]);
  file = join(folder, 'train', 'ant', '0.png');
  vi.stubEnv('XDG_CACHE_HOME', join(parent, 'cache'));
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  rmSync(parent, { recursive: true });
});

const checksum = (size = 4) => openImageFolders(folder, size).checksum();
/** As it is some time after the files were written: only then can they be known by their times. */
const later = () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  vi.setSystemTime(Date.now() + 60_000);
  return checksum();
};
const cacheFile = () => {
  const caches = join(parent, 'cache', 'espalier', 'image-checksums');
  return join(caches, readdirSync(caches)[0]!);
};

describe('the checksum of image folders', () => {
  it('is that of the path, the content and the label of each file', () => {
    const sha256 = (content: string | Buffer) => createHash('sha256').update(content).digest('hex');
    const { train, test } = openImageFolders(folder);
    const lines = [train, test].flatMap(({ files, labels }) =>
      files.map((name, i) => `${name}\0${sha256(readFileSync(join(folder, name)))}\0${labels[i]}\n`),
    );
    expect(lines).toHaveLength(7);
    expect(checksum()).toBe(sha256(lines.join('')));
    expect(checksum(8)).toBe(checksum());
  });

  it('changes with the name and the content of a file, also where the size stays', () => {
    const before = later();
    expect(checksum()).toBe(before);
    const bytes = readFileSync(file);
    bytes[bytes.length - 20]! ^= 1;
    writeFileSync(file, bytes);
    const changed = checksum();
    expect(changed).not.toBe(before);
    bytes[bytes.length - 20]! ^= 1;
    writeFileSync(file, bytes);
    expect(checksum()).toBe(before);
    renameSync(file, join(folder, 'train', 'ant', '00.png'));
    expect(checksum()).not.toBe(before);
  });

  it('reads a file only once', () => {
    const before = later();
    const known = readFileSync(cacheFile(), 'utf8');
    const [name, size, modified, changed, sha256] = JSON.parse(known.split('\n')[0]!);
    expect([name, size]).toEqual(['train/ant/0.png', statSync(file).size]);
    expect([modified, changed]).toEqual([statSync(file).mtimeMs, statSync(file).ctimeMs]);
    expect(sha256).toBe(createHash('sha256').update(readFileSync(file)).digest('hex'));
    // What the cache says is believed.
    writeFileSync(cacheFile(), known.replace(sha256, 'f'.repeat(64)));
    expect(checksum()).not.toBe(before);
  });

  it('does not trust the times of files that were written just now', () => {
    const before = checksum();
    expect(() => cacheFile()).toThrow('ENOENT');
    expect(later()).toBe(before);
    expect(readFileSync(cacheFile(), 'utf8').trim().split('\n')).toHaveLength(7);
  });

  it('is the same with a broken cache, and with none', () => {
    const before = later();
    const known = readFileSync(cacheFile(), 'utf8');
    for (const broken of [
      '',
      '\0\xff garbage',
      known.slice(0, -90),
      '[]\n{}\n["train/ant/0.png",1]\nnull\n',
      '[[[[',
    ]) {
      writeFileSync(cacheFile(), broken);
      expect(checksum()).toBe(before);
      expect(readFileSync(cacheFile(), 'utf8').split('\n').toSorted()).toEqual(known.split('\n').toSorted());
    }
    rmSync(cacheFile());
    mkdirSync(join(parent, 'cache', 'espalier', 'image-checksums', 'x'), { recursive: true });
    expect(checksum()).toBe(before);
    writeFileSync(join(parent, 'file'), '');
    for (const unusable of [join(parent, 'file'), '/dev/null/nowhere']) {
      vi.stubEnv('XDG_CACHE_HOME', unusable);
      expect(checksum()).toBe(before);
    }
  });

  it.each([
    ['<html>', 'has no known image format; expected an image (PNG, '],
    ['', 'is empty; expected an image (PNG, '],
    ['\xff\xd8\xff\xe0\0\x10JFIF\0', 'is a damaged or incomplete JPEG file; expected an image'],
    ['\x89PNG\r\n\x1a\n\0\0\0\rIHDR', 'is a damaged or incomplete PNG file; expected an image'],
  ])('finds a file without the header of an image: %j', async (content, message) => {
    writeFileSync(file, Buffer.from(content, 'latin1'));
    expect(() => checksum()).toThrow(InputError);
    expect(() => checksum()).toThrow(`${file}: ${message}`);
    await writeImage(file, [1, 2, 3]);
    expect(checksum()).toMatch(/^[0-9a-f]{64}$/);
  });

  it('names a file that has gone', () => {
    const { checksum: late } = openImageFolders(folder);
    rmSync(file);
    expect(() => late()).toThrow(new RegExp(`^${file}: does not exist; expected an image`));
  });
});
