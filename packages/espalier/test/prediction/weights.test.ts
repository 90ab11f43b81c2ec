import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nn, ones, saveTensors, scope, setThreads, type Tensor } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import {
  hasAuxiliaryHead,
  loadStartingWeights,
  loadWeights,
  readWeights,
} from '../../src/prediction/weights.js';
import { suiteFolder } from '../cli/suite-folder.js';

setThreads(1);

const folder = suiteFolder();

const layers = () => new nn.Sequential(new nn.Linear(2, 3), new nn.BatchNorm1d(3), new nn.BatchNorm1d(3));
const counts = (state: ReadonlyMap<string, Tensor>) =>
  ['1', '2'].map((layer) => state.get(`${layer}.num_batches_tracked`)!.item());

/** The state of a network that has seen a batch, without some of its tensors. */
function stateWithout(...names: string[]): Map<string, Tensor> {
  const trained = layers();
  trained.forward(ones([4, 2], { dtype: 'float32' }));
  return new Map([...trained.stateDict()].filter(([name]) => !names.includes(name)));
}

describe('weights', () => {
  it('are read from a file and copied', () => {
    scope(() => {
      const file = join(folder, 'whole.safetensors');
      const state = stateWithout();
      saveTensors(file, state);
      const network = layers();
      loadWeights(network, readWeights(file), file);
      for (const [name, value] of network.stateDict())
        expect(value.toNumbers(), name).toEqual(state.get(name)!.toNumbers());
      expect(counts(network.stateDict())).toEqual([1, 1]);
    });
  });

  it('from PyTorch before 0.4.1 lack batch counts, which are set to 0', () => {
    scope(() => {
      const state = stateWithout('1.num_batches_tracked', '2.num_batches_tracked');
      const network = layers();
      network.forward(ones([4, 2], { dtype: 'float32' }));
      loadWeights(network, state, 'old');
      expect(counts(network.stateDict())).toEqual([0, 0]);
      expect(network.stateDict().get('1.running_mean')!.toNumbers()).toEqual(
        state.get('1.running_mean')!.toNumbers(),
      );
    });
  });

  it.each(['module.', '_orig_mod.', 'module._orig_mod.'])('lose the prefix %s of a wrapper', (prefix) => {
    scope(() => {
      const state = stateWithout();
      const wrapped = new Map([...state].map(([name, tensor]) => [prefix + name, tensor]));
      const network = layers();
      loadWeights(network, wrapped, 'wrapped');
      expect(network.stateDict().get('0.weight')!.toNumbers()).toEqual(state.get('0.weight')!.toNumbers());
      expect(hasAuxiliaryHead(new Map([[`${prefix}auxiliary_head.x`, ones([1])]]))).toBe(true);
    });
  });

  it('keep a prefix that is a module of the network, or of some names only', () => {
    scope(() => {
      const named = new (class extends nn.Module {
        readonly module = new nn.Linear(2, 3);
      })();
      loadWeights(
        named,
        new Map(
          new (class extends nn.Module {
            readonly module = new nn.Linear(2, 3);
          })().stateDict(),
        ),
        'own',
      );
      const some = new Map(
        [...stateWithout()].map(([name, tensor], place) => [place === 0 ? `module.${name}` : name, tensor]),
      );
      expect(() => loadWeights(layers(), some, 'mixed')).toThrow(/^mixed: .*module\.0\.weight/);
    });
  });

  it('with some batch counts must have all of them', () => {
    scope(() => {
      expect(() => loadWeights(layers(), stateWithout('2.num_batches_tracked'), 'torn')).toThrow(
        /^torn: the state does not fit the network: 2\.num_batches_tracked is missing$/,
      );
    });
  });

  it('that do not fit are rejected with a list of all faults, and change nothing', () => {
    scope(() => {
      const state = stateWithout('0.weight');
      state.set('0.bias', ones([3], { dtype: 'float64' }));
      state.set('1.weight', ones([4], { dtype: 'float32' }));
      state.set('module.extra', ones([1], { dtype: 'float32' }));
      const network = layers();
      expect(() => loadWeights(network, state, 'w.safetensors')).toThrow(
        /^w\.safetensors: the state does not fit the network: 0\.weight is missing; 0\.bias has element type float64, the network needs float32; 1\.weight has shape \[4\], the network needs \[3\]; module\.extra is not part of the network$/,
      );
      expect(counts(network.stateDict())).toEqual([0, 0]);
    });
  });

  it('have an auxiliary head if one of their names says so', () => {
    const state = (name: string) => new Map([[name, undefined as unknown as Tensor]]);
    expect(hasAuxiliaryHead(state('auxiliary_head.classifier.bias'))).toBe(true);
    expect(hasAuxiliaryHead(state('classifier.bias'))).toBe(false);
  });
});

describe('a file without weights', () => {
  it('is named, with the command that converts a PyTorch file', () => {
    const file = join(folder, 'model.pt');
    writeFileSync(file, 'PK and so on, as PyTorch zips its files');
    expect(() => readWeights(file)).toThrow(
      /model\.pt is not a safetensors file: its header should have .* become one by: python3 -c ".*save_file.*" '.*model\.pt' '.*model\.safetensors'$/,
    );
  });

  it('is named if it is missing or a folder', () => {
    mkdirSync(join(folder, 'sub'));
    const wanted = 'expected weights in a safetensors file';
    expect(() => readWeights(join(folder, 'nowhere'))).toThrow(`nowhere: does not exist; ${wanted}`);
    expect(() => readWeights(join(folder, 'sub'))).toThrow(`sub: is not a file; ${wanted}`);
  });
});

describe('starting weights', () => {
  class WithHead extends nn.Module {
    readonly body = new nn.Linear(2, 3);
    readonly classifier = new nn.Linear(3, 2);
    readonly auxiliary_head = new nn.Linear(3, 2);
  }
  class Plain extends nn.Module {
    readonly body = new nn.Linear(2, 3);
    readonly classifier = new nn.Linear(3, 2);
  }
  const copy = (network: nn.Module) =>
    new Map([...network.stateDict()].map(([name, value]) => [name, value.toNumbers()]));
  const none: ReadonlySet<string> = new Set();

  it('leave out a head that the network does not have, and let its own begin anew', () => {
    scope(() => {
      const [headed, plain] = [new WithHead(), new Plain()];
      const ofHeaded = copy(headed);
      loadStartingWeights(plain, headed.stateDict(), 'headed', none);
      expect(copy(plain)).toEqual(
        new Map([...ofHeaded].filter(([name]) => !name.startsWith('auxiliary_head.'))),
      );
      const other = new WithHead();
      const before = copy(other);
      const wrapped = new Map([...new Plain().stateDict()].map(([name, value]) => [`module.${name}`, value]));
      loadStartingWeights(other, wrapped, 'plain', none);
      for (const [name, values] of copy(other))
        expect(values, name).toEqual(
          name.startsWith('auxiliary_head.') ? before.get(name) : wrapped.get(`module.${name}`)!.toNumbers(),
        );
    });
  });

  it('leave what begins anew as it is, whatever its shape', () => {
    scope(() => {
      const network = new Plain();
      const before = copy(network);
      const given = new Map([
        ...new Plain().stateDict(),
        ['classifier.weight', ones([7, 3])],
        ['classifier.bias', ones([7])],
      ]);
      const classifier = ['classifier.weight', 'classifier.bias'];
      loadStartingWeights(network, given, 'given', new Set(classifier));
      for (const [name, values] of copy(network))
        expect(values, name).toEqual(
          classifier.includes(name) ? before.get(name) : given.get(name)!.toNumbers(),
        );
      expect(() => loadStartingWeights(new Plain(), given, 'given', none)).toThrow(
        /^given: .*classifier\.weight has shape \[7,3\], the network needs \[2,3\]/,
      );
      given.delete('body.bias');
      expect(() => loadStartingWeights(new Plain(), given, 'given', new Set(classifier))).toThrow(
        /^given: .*body\.bias is missing/,
      );
    });
  });
});
