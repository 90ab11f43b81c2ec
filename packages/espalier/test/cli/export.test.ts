import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadTensors } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { addExport } from '../../src/cli/export.js';
import { run } from './command.js';
import { printed, refusal } from './printed.js';
import { suiteFolder } from './suite-folder.js';

const folder = suiteFolder();
const small = ['--layers', '3', '--channels', '4'];
process.chdir(folder);

const exported = (...args: string[]) => printed(addExport, ['export', ...args]);

describe('export --format pytorch', () => {
  it('writes a program and its weights beside it, and says so', async () => {
    const args = ['export', 'darts-v2', '--format', 'pytorch', ...small, '--out', 'net.py', '--json'];
    const { code, stdout } = await run(args, folder);
    expect(code).toBe(0);
    const program = readFileSync(join(folder, 'net.py'), 'utf8');
    expect(JSON.parse(stdout)).toEqual({
      file: 'net.py',
      format: 'pytorch',
      bytes: Buffer.byteLength(program),
      weights: 'net.safetensors',
    });
    expect(program).toMatch(/^"""The network of darts-v2 \(space darts-cnn\)\. Exported by Espalier /);
    expect(program).toContain('"""Images [N, 3, 32, 32] to the logits [N, 10]."""');
    const { tensors } = loadTensors(join(folder, 'net.safetensors'));
    expect(tensors.get('stem.0.weight')?.shape).toEqual([12, 3, 3, 3]);
    for (const tensor of tensors.values()) tensor.free();
  });

  it('writes the weights that it is given, with the auxiliary head where they have one', async () => {
    const size = [...small, '--image-size', '32'];
    const first = ['darts-v1', '--format', 'pytorch', ...size];
    await exported(...first, '--set', 'auxiliary=true', '--seed', '9', '--out', 'first.py');
    const second = [...first, '--weights', 'first.safetensors', '--out', 'again.py'];
    expect(await exported(...second)).toContain('the weights: again.safetensors');
    const bytes = (name: string) => readFileSync(join(folder, name));
    expect(bytes('again.safetensors').equals(bytes('first.safetensors'))).toBe(true);
    expect(bytes('again.py').equals(bytes('first.py'))).toBe(true);
  });

  it('is of language models too', async () => {
    const args = ['enas-rnn', '--hidden', '8', '--vocabulary', '50', '--out', 'model.py'];
    await exported(...args, '--format', 'pytorch');
    expect(readFileSync(join(folder, 'model.py'), 'utf8')).toContain('"""A language model of 50 tokens.');
  });
});

describe('export says what is wrong', () => {
  it.each([
    ['a format', ['--format', 'torch'], "--format 'torch': allowed: json, svg, onnx, pytorch"],
    [
      'no place for two files',
      ['--format', 'pytorch'],
      '--out is missing: with --format pytorch allowed: a name that ends with .py',
    ],
    [
      'another name',
      ['--format', 'pytorch', '--out', 'net.pt'],
      '--out net.pt: with --format pytorch allowed: a name that ends with .py',
    ],
    [
      'no such folder',
      ['--format', 'onnx', '--out', 'nowhere/a.onnx'],
      '--out nowhere/a.onnx: there is no folder nowhere',
    ],
    [
      'a folder for a file',
      ['--format', 'onnx', '--out', folder],
      `--out ${folder}: is a folder; allowed: the name of a file`,
    ],
    [
      'features of a program',
      ['--format', 'pytorch', '--out', 'net.py', '--features'],
      '--features: only onnx has further outputs',
    ],
    [
      'weights for a picture',
      ['--format', 'svg', '--weights', 'first.safetensors'],
      '--weights first.safetensors: only onnx and pytorch hold weights',
    ],
    [
      'tokens for a network of images',
      ['--format', 'onnx', '--vocabulary', '5'],
      '--vocabulary 5: the networks of space darts-cnn read images',
    ],
  ])('%s', async (_, args, message) => {
    expect(await refusal(addExport, ['export', 'darts-v2', ...args])).toContain(message);
  });
});
