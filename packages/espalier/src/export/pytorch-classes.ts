import { nn, type Tensor } from '@espalier/torch';
import type { TracedTensor } from '../networks/operator-trace.js';
import type { BatchedCall, BatchedTrace } from './exported-trace.js';
import { fill, hole, holesOf, indent, isIdentifier, lines, Names, skeleton } from './python-code.js';
import { pytorchLayer } from './pytorch-layers.js';
import { type MethodScope, RESERVED, shapeIn, writeMethod } from './pytorch-methods.js';
import { isCallable, keyOf, type ModuleNode, type ModuleTree, type Segment } from './pytorch-modules.js';

/** What the network is for the reader of the program. */
export interface NetworkText {
  /** The name of the method that the trace becomes. */
  readonly entry: string;
  readonly docstring: string;
  /** Further methods, as Python. */
  readonly methods: readonly string[];
}

/** A class as it would be for one module alone. */
interface Template {
  readonly node: ModuleNode;
  /** Lines of the constructor. */
  readonly init: string;
  readonly methods: string;
}

/** Attributes that a `nn.Module`, or the program's network, has: a member of that name is reached in another way. */
const MODULE_ATTRIBUTES = new Set(
  (
    'T_destination _apply _buffers _modules _parameters _version add_module apply bfloat16 buffers call_super_init ' +
    'children compile cpu cuda double dump_patches eval extra_repr float forward get_buffer get_extra_state ' +
    'get_parameter get_submodule half initial_state ipu load_state_dict modules mtia named_buffers named_children ' +
    'named_modules named_parameters parameters register_backward_hook register_buffer register_forward_hook ' +
    'register_forward_pre_hook register_full_backward_hook register_full_backward_pre_hook ' +
    'register_load_state_dict_post_hook register_load_state_dict_pre_hook register_module register_parameter ' +
    'register_state_dict_post_hook register_state_dict_pre_hook requires_grad_ set_extra_state set_submodule ' +
    'share_memory state_dict step to to_empty train training type xpu zero_grad'
  ).split(' '),
);

/**
 * The classes of a network's modules in Python, each after those that it needs; the last one is `Network`. A module of
 * one operator is the layer of `torch.nn`, a chain of layers a `nn.Sequential`; modules that are alike but for sizes
 * share a class that is given the sizes.
 */
export function pytorchClasses(tree: ModuleTree, trace: BatchedTrace, text: NetworkText): string {
  const classes: string[] = [];
  const classNames = new Names(RESERVED, '');
  /** The expression that makes a module. */
  const makers = new Map<ModuleNode, string>();
  /** Modules whose children are reached by their numbers. */
  const lists = new Set<ModuleNode>();
  /** The methods that segments are, where they are not `forward`. */
  const methodNames = new Map<Segment, string>();

  const heights = heightsOf(tree.root);
  for (let height = 0; height < (heights.get(tree.root) as number); height++) {
    const templates: Template[] = [];
    for (const [node, own] of heights) {
      if (own !== height) continue;
      const list = listOf(node) ?? chainOf(node);
      const maker = layerOf(node) ?? list;
      if (maker === undefined) templates.push(template(node, 'forward'));
      else makers.set(node, maker);
      if (list !== undefined) lists.add(node);
    }
    share(templates);
  }
  writeNetwork();
  return classes.join('\n\n\n');

  /** The layer of `torch.nn` that a module is. */
  function layerOf(node: ModuleNode): string | undefined {
    const layers = node.segments.map(({ steps, outputs }) => {
      const [step] = steps;
      if (steps.length !== 1 || typeof step !== 'number' || outputs.length !== 1) return undefined;
      return pytorchLayer(
        trace.calls[step] as BatchedCall,
        node.state,
        (tensor) => tree.nameIn(node, tensor),
        (tensor) => shapeIn(trace, tensor),
      );
    });
    return layers.every((layer) => layer === layers[0]) ? layers[0] : undefined;
  }

  /** A list of children, or of parameters, that calls nothing itself. */
  function listOf(node: ModuleNode): string | undefined {
    const { children, state, segments } = node;
    if (segments.length > 0) return undefined;
    if (state.size === 0) return isNumbered(children) ? listCode('nn.ModuleList', itemsOf(node)) : undefined;
    const parameters = [...state.entries()].sort(([one], [other]) => Number(one) - Number(other));
    const isList = parameters.every(
      ([name, tensor], index) => name === String(index) && tensor instanceof nn.Parameter,
    );
    if (!isList || children.size > 0) return undefined;
    return listCode(
      'nn.ParameterList',
      parameters.map(([, tensor]) => tensorCode(tensor)),
    );
  }

  /** A chain of children. */
  function chainOf(node: ModuleNode): string | undefined {
    const { children, state, segments } = node;
    if (segments.length === 0 || state.size > 0 || !isNumbered(children)) return undefined;
    const isChain = segments.every(({ steps, inputs, outputs }) => {
      let [value] = inputs;
      let last = -1;
      for (const step of steps) {
        if (typeof step === 'number' || methodNames.has(step) || step.inputs.length !== 1) return false;
        const place = placeIn(node, step.node);
        if (
          place === undefined ||
          place <= last ||
          !isSame(step.inputs[0], value) ||
          step.outputs.length !== 1
        )
          return false;
        last = place;
        [value] = step.outputs;
      }
      return (
        inputs.length === 1 &&
        steps.length === children.size &&
        isSame(outputs[0], value) &&
        outputs.length === 1
      );
    });
    return isChain ? lines('nn.Sequential', itemsOf(node)) : undefined;
  }

  /** Numbered children in their order; what does nothing stands in the places between. */
  function itemsOf({ children }: ModuleNode): string[] {
    const count = 1 + Math.max(...[...children.keys()].map(Number));
    return Array.from({ length: count }, (_, place) => {
      const child = children.get(String(place));
      return child === undefined ? 'nn.Identity()' : (makers.get(child) as string);
    });
  }

  /** A member of a module, or of one below it, as an expression that can be assigned to. */
  function reach(node: ModuleNode, path: readonly string[]): string {
    let code = 'self';
    let at: ModuleNode | undefined = node;
    for (const name of path) {
      const child: ModuleNode | undefined = at?.children.get(name);
      const isPlain = isIdentifier(name) && !MODULE_ATTRIBUTES.has(name);
      const store =
        child !== undefined
          ? '_modules'
          : at?.state.get(name) instanceof nn.Parameter
            ? '_parameters'
            : '_buffers';
      if (at !== undefined && lists.has(at)) code += `[${name}]`;
      else code += isPlain ? `.${name}` : `.${store}['${name}']`;
      at = child;
    }
    return code;
  }

  /** The class that a module would have alone. */
  function template(node: ModuleNode, entry: string): Template {
    const members = new Names([...MODULE_ATTRIBUTES, ...node.children.keys(), ...node.state.keys()]);
    const init: string[] = [];
    for (const [name, tensor] of node.state) {
      if (tensor instanceof nn.Parameter || !isIdentifier(name) || MODULE_ATTRIBUTES.has(name))
        init.push(`${reach(node, [name])} = ${tensorCode(tensor)}`);
      else init.push(`self.register_buffer('${name}', ${tensorCode(tensor)})`);
    }
    for (const [name, child] of node.children) init.push(`${reach(node, [name])} = ${makers.get(child)}`);
    const constants = new Map<string, string>();
    const scope: MethodScope = {
      own: (tensor) => {
        const name = tree.nameIn(node, tensor);
        return name === undefined ? undefined : reach(node, name.split('.'));
      },
      constant: (code) => {
        const known = constants.get(code);
        if (known !== undefined) return known;
        const name = members.give('constant');
        init.push(`self.register_buffer('${name}', ${code}, persistent=False)`);
        constants.set(code, `self.${name}`);
        return `self.${name}`;
      },
      callee: (segment) => {
        const path = segment.node.path.slice(node.path === '' ? 0 : node.path.length + 1);
        const method = methodNames.get(segment);
        return reach(node, path.split('.')) + (method === undefined ? '' : `.${method}`);
      },
    };
    /** Segments that do the same are one method. */
    const methods = new Map<string, string>();
    for (const segment of node.segments) {
      const inputs = segment.inputs.map((tensor) => [inputName(tensor), tensor] as const);
      const code = writeMethod(segment, trace, scope, node === tree.root ? networkInputs() : inputs);
      const name = methods.get(code) ?? (methods.size === 0 ? entry : `${entry}_${methods.size + 1}`);
      methods.set(code, name);
      if (name !== 'forward') methodNames.set(segment, name);
    }
    const written = [...methods].map(([code, name]) => `def ${name}${code}`);
    return { node, init: init.join('\n'), methods: written.join('\n\n') };
  }

  function networkInputs(): (readonly [string, TracedTensor])[] {
    return [...trace.inputs.keys()].map((name) => [name, { from: 'input', name }] as const);
  }

  /** Writes the classes of modules that are of the same height. */
  function share(templates: readonly Template[]): void {
    const alike = new Map<string, Template[]>();
    for (const one of templates) {
      const key = [wantedName(one.node), skeleton(one.init), skeleton(one.methods)].join('\n');
      alike.set(key, [...(alike.get(key) ?? []), one]);
    }
    for (const group of alike.values()) {
      const className = classNames.give(wantedName((group[0] as Template).node));
      const { code, sizes } = classCode(`class ${className}(nn.Module):`, usedAs(group), group, []);
      classes.push(code);
      for (const [index, { node }] of group.entries()) {
        const given = sizes.map(({ name, values }) => hole(name, values[index] as string));
        makers.set(node, `${className}(${given.join(', ')})`);
      }
    }
  }

  function writeNetwork(): void {
    const chain = chainOf(tree.root);
    const ties = [...tree.tied()].flatMap(([first, ...others]) =>
      others.map((other) => `${reach(tree.root, other.split('.'))} = ${reach(tree.root, first.split('.'))}`),
    );
    if (chain !== undefined && ties.length === 0 && text.methods.length === 0) {
      const init = fill(`super().__init__${chain.replace('nn.Sequential', '')}`);
      classes.push(
        `class Network(nn.Sequential):\n    """${text.docstring}"""\n\n    def __init__(self):\n        ${indent(init, 8)}`,
      );
      return;
    }
    const own = template(tree.root, text.entry);
    const init = [own.init, ...ties].filter((line) => line !== '').join('\n');
    const { code } = classCode('class Network(nn.Module):', text.docstring, [{ ...own, init }], text.methods);
    classes.push(code);
  }
}

/** A size that modules with the same class differ in. */
interface SharedSize {
  readonly name: string;
  /** For each module. */
  readonly values: readonly string[];
}

/** The class of modules that are alike but for what fills their holes, and the sizes that it is to be given. */
function classCode(
  head: string,
  docstring: string,
  group: readonly Template[],
  further: readonly string[],
): { code: string; sizes: readonly SharedSize[] } {
  const [{ init, methods, node }] = group as [Template];
  const initHoles = group.map((one) => holesOf(one.init));
  const allHoles = group.map((one, index) => [...(initHoles[index] ?? []), ...holesOf(one.methods)]);
  const ofInit = initHoles[0]?.length ?? 0;
  /** The holes that have the same values in every module, by those values. */
  const columns = new Map<string, { values: string[]; places: number[]; hints: Set<string> }>();
  for (const [place, { hint }] of (allHoles[0] ?? []).entries()) {
    const values = allHoles.map((holes) => holes[place]?.value as string);
    if (values.every((value) => value === values[0])) continue;
    const key = values.join('\n');
    const column = columns.get(key) ?? { values, places: [], hints: new Set() };
    column.places.push(place);
    column.hints.add(hint);
    columns.set(key, column);
  }
  const names = new Names([...MODULE_ATTRIBUTES, ...RESERVED, ...node.children.keys(), ...node.state.keys()]);
  const sizes: SharedSize[] = [];
  const kept: string[] = [];
  const nameAt = new Map<number, string>();
  for (const { values, places, hints } of columns.values()) {
    const name = names.give(nameFor(hints));
    sizes.push({ name, values });
    for (const place of places) nameAt.set(place, place < ofInit ? name : `self.${name}`);
    if (places.some((place) => place >= ofInit)) kept.push(`self.${name} = ${name}`);
  }
  const made = [fill(init, (place) => nameAt.get(place)), ...kept].filter((line) => line !== '');
  const parameters = ['self', ...sizes.map(({ name }) => name)].join(', ');
  const parts = [
    ...(made.length === 0
      ? []
      : [`def __init__(${parameters}):\n    super().__init__()\n    ${indent(made.join('\n'), 4)}`]),
    ...(methods === '' ? [] : [fill(methods, (place) => nameAt.get(ofInit + place))]),
    ...further,
  ];
  return {
    code: `${head}\n    """${docstring}"""\n\n    ${indent(parts.join('\n\n'), 4)}`.replace(/ +$/gm, ''),
    sizes,
  };
}

/** One word for a size that is several things. */
function nameFor(hints: ReadonlySet<string>): string {
  const [first] = hints as Iterable<string> as [string];
  if (hints.size === 1) return first;
  const [reads, makes] = [hints.has('inputs') || hints.has('groups'), hints.has('outputs')];
  if (reads && makes) return 'channels';
  return makes ? 'outputs' : reads ? 'inputs' : first;
}

/** Which modules have a class. */
function usedAs(group: readonly Template[]): string {
  const paths = group.slice(0, 3).map(({ node }) => node.path);
  return paths.join(', ') + (group.length > 3 ? ` and ${group.length - 3} more` : '');
}

/** The name of the network's own class; modules that nothing calls only hold their tensors. */
function wantedName({ module, segments }: ModuleNode): string {
  if (module === undefined || (isCallable(module) && segments.length === 0)) return 'Weights';
  return module.constructor.name.replace(/\W/g, '') || 'Block';
}

function inputName(tensor: TracedTensor): string {
  return tensor.from === 'state' ? tensor.name.slice(tensor.name.lastIndexOf('.') + 1) : 'x';
}

/** Zeros in a tensor's shape. */
function tensorCode(tensor: Tensor): string {
  const { dtype, shape } = tensor;
  const size = shape.length === 0 ? '()' : shape.map((length) => hole('size', length)).join(', ');
  const zeros = `torch.zeros(${size}${dtype === 'float32' ? '' : `, dtype=torch.${dtype}`})`;
  return tensor instanceof nn.Parameter ? `nn.Parameter(${zeros})` : zeros;
}

const listCode = (call: string, items: readonly string[]): string => lines(call, items, ['([', '])']);

const isNumbered = (children: ReadonlyMap<string, ModuleNode>): boolean =>
  children.size > 0 && [...children.keys()].every((name) => /^(0|[1-9]\d*)$/.test(name));

/** The number of a child; undefined for one further below. */
function placeIn(node: ModuleNode, child: ModuleNode): number | undefined {
  const found = [...node.children].find(([, one]) => one === child);
  return found === undefined ? undefined : Number(found[0]);
}

function isSame(one: TracedTensor | undefined, other: TracedTensor | undefined): boolean {
  if (one === undefined || other === undefined) return false;
  return one.from !== 'constant' && other.from !== 'constant' && keyOf(one) === keyOf(other);
}

/** How many modules stand below a module, one in the other. */
function heightsOf(root: ModuleNode): Map<ModuleNode, number> {
  const heights = new Map<ModuleNode, number>();
  const measure = (node: ModuleNode): number => {
    const height = 1 + Math.max(-1, ...[...node.children.values()].map(measure));
    heights.set(node, height);
    return height;
  };
  measure(root);
  return heights;
}
