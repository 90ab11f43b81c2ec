import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const script = fileURLToPath(new URL('../scripts/find-libtorch.mjs', import.meta.url));
const ending = process.platform === 'darwin' ? 'dylib' : 'so';
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'find-libtorch-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/** A folder with what is looked for in a libtorch, and nothing else. */
function fakeLibtorch(name: string, version = [2, 6, 1], libraries: Record<string, string> = {}): string {
  const prefix = join(folder, name);
  const api = join(prefix, 'include/torch/csrc/api/include/torch');
  write(join(prefix, 'include/ATen/ATen.h'), '');
  write(join(api, 'torch.h'), '');
  const [major, minor, patch] = version;
  const lines = [`MAJOR ${major}`, `MINOR ${minor}`, `PATCH ${patch}`].map((line) => `TORCH_VERSION_${line}`);
  write(join(api, 'version.h'), lines.map((line) => `#define ${line}\n`).join('\n'));
  for (const [library, bytes] of Object.entries({ torch_cpu: '', c10: '', ...libraries })) {
    write(join(prefix, `lib/lib${library}.${ending}`), bytes);
  }
  return prefix;
}

function find(env: Record<string, string>, cwd = folder) {
  const result = spawnSync(process.execPath, [script], {
    cwd,
    env: { PATH: process.env.PATH, ...env },
    encoding: 'utf8',
  });
  return { ...result, found: result.stdout === '' ? undefined : JSON.parse(result.stdout) };
}

describe('the environment variable LIBTORCH', () => {
  test('names the libtorch to use', () => {
    const prefix = fakeLibtorch('plain');
    expect(find({ LIBTORCH: prefix }).found).toEqual({
      origin: 'LIBTORCH',
      includes: [join(prefix, 'include'), join(prefix, 'include/torch/csrc/api/include')],
      libFolders: [join(prefix, 'lib')],
      version: '2.6.1',
      cxx11Abi: true,
      gpu: [],
      gloo: false,
    });
  });

  test.each([
    [['torch_cuda', 'c10_cuda']],
    [['torch_cuda', 'torch_cuda_cpp', 'torch_cuda_cu', 'c10_cuda']],
    [['torch_hip', 'c10_hip']],
  ])('has the libraries for GPUs %j', (names) => {
    const prefix = fakeLibtorch(
      names.join('-'),
      [2, 6, 1],
      Object.fromEntries(names.map((name) => [name, ''])),
    );
    expect(find({ LIBTORCH: prefix }).found.gpu).toEqual(names);
  });

  test.each([
    ['_ZN4c10d16ProcessGroupGlooC1', true],
    ['_ZN4c10d15ProcessGroupMPIC1', false],
  ])('has gloo by its symbol %s, wherever it lies in the library', (symbol, gloo) => {
    // The library is read in pieces of 4 MiB.
    const text = `${'.'.repeat((1 << 22) - 9)}${symbol}E.`;
    const prefix = fakeLibtorch(`gloo-${gloo}`, [2, 6, 1], { torch_cpu: text });
    write(join(prefix, 'include/torch/csrc/distributed/c10d/ProcessGroupGloo.hpp'), '');
    expect(find({ LIBTORCH: prefix }).found.gloo).toBe(gloo);
  });

  describe('has NCCL', () => {
    const headers = ['nccl.h', 'cuda_runtime_api.h', 'cublas_v2.h', 'cusparse.h', 'cusolverDn.h'];
    const withNccl = (name: string, libraries: Record<string, string>) => {
      const prefix = fakeLibtorch(name, [2, 6, 1], libraries);
      write(join(prefix, 'include/torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp'), '');
      return prefix;
    };
    const symbol = '_ZN4c10d16ProcessGroupNCCLC1E';

    test('where the headers that its own includes are in packages beside it', () => {
      const prefix = withNccl('pip/torch', { torch_cuda: symbol });
      const packages = join(folder, 'pip/nvidia');
      for (const header of headers)
        write(join(packages, header === 'nccl.h' ? 'nccl' : 'cuda', 'include', header), '');
      expect(find({ LIBTORCH: prefix, CUDA_HOME: join(folder, 'none') }).found.nccl).toEqual([
        join(packages, 'nccl/include'),
        join(packages, 'cuda/include'),
      ]);
    });

    test('where they are in a toolkit, and libtorch is divided', () => {
      const prefix = withNccl('divided/torch', { torch_cuda: '', torch_cuda_cpp: symbol });
      const toolkit = join(folder, 'toolkit');
      for (const header of headers) write(join(toolkit, 'include', header), '');
      const { nccl } = find({ LIBTORCH: prefix, CUDA_HOME: toolkit }).found;
      expect(nccl).toEqual([join(toolkit, 'include')]);
    });

    test('not where libtorch was built without it, or for the CPU', () => {
      const toolkit = join(folder, 'toolkit');
      for (const [name, libraries] of Object.entries({ without: { torch_cuda: '' }, cpu: {} }))
        expect(find({ LIBTORCH: withNccl(name, libraries), CUDA_HOME: toolkit }).found.nccl).toBeUndefined();
    });
  });

  test('may be relative to the working directory', () => {
    fakeLibtorch('relative');
    expect(find({ LIBTORCH: 'relative' }).found.libFolders).toEqual([join(folder, 'relative/lib')]);
  });

  test('wins over the PyTorch of python3', () => {
    const prefix = fakeLibtorch('chosen');
    fakePackage('beside', fakeLibtorch('beside/torch'));
    const { found } = find({ LIBTORCH: prefix, PYTHONPATH: join(folder, 'beside') });
    expect(found.origin).toBe('LIBTORCH');
  });

  test.each([
    ['_ZN3c106detail14torchCheckFailEPKcS2_jRKSs', false],
    ['_ZN3c106detail14torchCheckFailEPKcS2_jRKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE', true],
  ])('has the string ABI of its symbol %s', (symbol, cxx11Abi) => {
    const prefix = fakeLibtorch(`abi-${cxx11Abi}`, [1, 13, 1], { c10: `\0_ZN3c104beep\0${symbol}\0` });
    expect(find({ LIBTORCH: prefix }).found.cxx11Abi).toBe(cxx11Abi);
  });

  test('reads the version where newer headers have it', () => {
    const prefix = fakeLibtorch('newer');
    write(
      join(prefix, 'include/torch/csrc/api/include/torch/version.h'),
      '#include <torch/headeronly/version.h>\n',
    );
    write(
      join(prefix, 'include/torch/headeronly/version.h'),
      '#define TORCH_VERSION_MAJOR 2\n#define TORCH_VERSION_MINOR 10\n#define TORCH_VERSION_PATCH 0\n',
    );
    expect(find({ LIBTORCH: prefix }).found.version).toBe('2.10.0');
  });

  test('is an error with exit code 2 when it names no libtorch', () => {
    const { status, stdout, stderr } = find({ LIBTORCH: 'nowhere' });
    expect({ status, stdout, stderr }).toEqual({
      status: 2,
      stdout: '',
      stderr: `LIBTORCH=nowhere is not a libtorch folder (with include/ and lib/): ${join(folder, 'nowhere/include/ATen/ATen.h')} is missing\n`,
    });
  });

  test('is an error when the libtorch is too old', () => {
    const prefix = fakeLibtorch('old', [1, 12, 1]);
    const { status, stderr } = find({ LIBTORCH: prefix });
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: `LIBTORCH=${prefix} is libtorch 1.12.1; 1.13 or newer is needed\n`,
    });
  });

  test('is an error when the libraries are missing', () => {
    const prefix = fakeLibtorch('headers-only');
    rmSync(join(prefix, 'lib'), { recursive: true });
    const { status, stderr } = find({ LIBTORCH: prefix });
    expect(status).toBe(2);
    expect(stderr).toContain(
      `LIBTORCH=${prefix} has no libtorch_cpu.${ending}; looked in ${join(prefix, 'lib')}, `,
    );
  });
});

/** Makes a folder for PYTHONPATH of one with a libtorch in torch/; the package must not be imported. */
function fakePackage(name: string, torch: string): string {
  write(join(torch, '__init__.py'), 'raise Exception("imported")\n');
  return join(folder, name);
}

describe('the PyTorch of python3', () => {
  test('is found without being imported', () => {
    const torch = fakeLibtorch('site/torch', [2, 1, 0]);
    expect(find({ PYTHONPATH: fakePackage('site', torch) }).found).toEqual({
      origin: 'python',
      includes: [join(torch, 'include'), join(torch, 'include/torch/csrc/api/include')],
      libFolders: [join(torch, 'lib')],
      version: '2.1.0',
      cxx11Abi: true,
      gpu: [],
      gloo: false,
    });
  });

  test.each([
    ['no headers', [2, 6, 0], 'include'],
    ['no libraries', [2, 6, 0], 'lib'],
    ['an old version', [1, 9, 0], 'share'],
  ])('is passed over with %s', (name, version, missing) => {
    const torch = fakeLibtorch(`${name}/torch`, version);
    rmSync(join(torch, missing), { recursive: true, force: true });
    const { status, found } = find({ PYTHONPATH: fakePackage(name, torch) });
    expect(status).toBe(0);
    expect(found?.origin).not.toBe('python');
  });

  test('is not a folder torch of the working directory', () => {
    const torch = fakeLibtorch('workspace/torch');
    const { status, found } = find({}, fakePackage('workspace', torch));
    expect(status).toBe(0);
    expect(found?.libFolders).not.toEqual([join(torch, 'lib')]);
  });

  test('is what the first python3 on the PATH says', () => {
    const torch = fakeLibtorch('shim/torch');
    const shims = join(folder, 'bin');
    write(join(shims, 'python3'), `#!/bin/sh\necho '${torch}'\n`);
    chmodSync(join(shims, 'python3'), 0o755);
    expect(find({ PATH: shims }).found.libFolders).toEqual([join(torch, 'lib')]);
  });

  test('is none when python3 fails', () => {
    const broken = join(folder, 'broken');
    write(join(broken, 'python3'), '#!/bin/sh\nexit 1\n');
    chmodSync(join(broken, 'python3'), 0o755);
    const { status, found } = find({ PATH: broken });
    expect(status).toBe(0);
    expect(found?.origin).not.toBe('python');
  });

  test('is none when there is no python3', () => {
    const { status, found } = find({ PATH: join(folder, 'empty') });
    expect(status).toBe(0);
    expect(found?.origin).not.toBe('python');
  });
});
