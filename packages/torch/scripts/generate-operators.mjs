// Writes src/operators.generated.ts: a typed function or method for each operator in operators.txt, derived from the
// schemas that libtorch prints. Run it by hand after a change of operators.txt and commit the result.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const folder = new URL('..', import.meta.url);
const { schemas } = createRequire(import.meta.url)(
  new URL('build/Release/espalier_torch.node', folder).pathname,
);

const camelCase = (/** @type {string} */ name) =>
  name.replace(/^_+/, '').replace(/_([a-z0-9])/g, (_, letter) => letter.toUpperCase());

/** Splits at the commas outside brackets. */
function splitArguments(/** @type {string} */ text) {
  const parts = [];
  let depth = 0;
  let part = '';
  for (const letter of text) {
    if ('([{'.includes(letter)) depth++;
    if (')]}'.includes(letter)) depth--;
    if (letter === ',' && depth === 0) {
      parts.push(part.trim());
      part = '';
    } else part += letter;
  }
  if (part.trim() !== '') parts.push(part.trim());
  return parts;
}

/** The TypeScript type of an argument, and the expression that passes it to the addon. */
function typeOf(/** @type {string} */ schemaType) {
  const type = schemaType.replace(/\([a-z!|>\s*-]+\)/g, '').replaceAll('SymInt', 'int');
  const optional = type.endsWith('?');
  const base = optional ? type.slice(0, -1) : type;
  const list = /^(.+?)\[(\d*)\]$/.exec(base);
  /** @type {[string, (name: string) => string]} */
  const plain = ['', (name) => name];
  if (list) {
    const [, item = '', length] = list;
    if (item === 'Tensor')
      return { type: 'readonly Tensor[]', hand: (n) => `${n}.map(handleOf)`, optional, tensors: true };
    if (item === 'Tensor?')
      return {
        type: 'readonly (Tensor | undefined)[]',
        hand: (n) => `${n}.map(handleOf)`,
        optional,
        tensors: true,
      };
    const element = { int: 'number', float: 'number', Scalar: 'number', bool: 'boolean' }[item];
    if (!element) throw new Error(`no TypeScript for ${schemaType}`);
    return { type: `${length ? `${element} | ` : ''}readonly ${element}[]`, hand: plain[1], optional };
  }
  switch (base) {
    case 'Tensor':
      return { type: 'Tensor', hand: (n) => (optional ? `handleOf(${n})` : `${n}.handle`), optional };
    case 'ScalarType':
      return { type: 'Dtype', hand: (n) => `dtypeCode(${n})`, optional };
    case 'MemoryFormat':
      return { type: 'MemoryFormat', hand: (n) => `memoryFormatCode(${n})`, optional };
    case 'int':
    case 'float':
    case 'Scalar':
      return { type: 'number', hand: plain[1], optional };
    case 'bool':
      return { type: 'boolean', hand: plain[1], optional };
    case 'str':
    case 'Device':
      return { type: 'string', hand: plain[1], optional };
    case 'Layout':
    case 'Generator':
      return undefined; // not supported: all tensors are strided, all draws come from the process's generator
  }
  throw new Error(`no TypeScript for ${schemaType}`);
}

function parseSchema(/** @type {string} */ text) {
  const match = /^aten::([A-Za-z0-9_]+)(?:\.(\w+))?\((.*)\) -> (.+)$/.exec(text);
  if (!match) return undefined;
  const [, name = '', overload = '', args = '', result = ''] = match;
  let keywordOnly = false;
  const parameters = [];
  for (const part of splitArguments(args)) {
    if (part === '*') {
      keywordOnly = true;
      continue;
    }
    const [, type = '', parameter = '', defaultValue] = /^(.+?) (\w+)(?:=(.*))?$/.exec(part) ?? [];
    parameters.push({
      schemaType: type,
      name: camelCase(parameter),
      keywordOnly,
      hasDefault: defaultValue !== undefined,
      defaultValue,
    });
  }
  return { name, overload, parameters, result, text };
}

const bySignature = new Map();
for (const text of schemas()) {
  if (!text.startsWith('aten::')) continue;
  const schema = parseSchema(text);
  if (schema) bySignature.set(`${schema.name}.${schema.overload}`, schema);
}

/** The TypeScript type of a result, and the expression that makes it from what the addon returns. */
function resultOf(/** @type {string} */ result) {
  if (result === '()') return { type: 'void' };
  const inner = result.startsWith('(') ? splitArguments(result.slice(1, -1)) : [result];
  const kinds = inner.map((part) => part.replace(/\([a-z!|>\s*-]+\)/g, '').split(' ')[0]);
  const one = (/** @type {string} */ kind, /** @type {string} */ expression) => {
    if (kind === 'Tensor') return { type: 'Tensor', make: `new Tensor(${expression} as number)` };
    if (kind === 'Tensor[]')
      return { type: 'Tensor[]', make: `(${expression} as number[]).map((handle) => new Tensor(handle))` };
    throw new Error(`no TypeScript for result ${kind}`);
  };
  if (kinds.length === 1) return one(kinds[0] ?? '', 'RESULT');
  return {
    type: `[${kinds.map((kind) => one(kind ?? '', '').type).join(', ')}]`,
    make: `(RESULT as number[]).map((handle) => new Tensor(handle)) as [${kinds.map(() => 'Tensor').join(', ')}]`,
  };
}

const operators = [];
const methods = [];
const functions = [];
const assignments = [];

for (const line of readFileSync(new URL('operators.txt', folder), 'utf8').split('\n')) {
  const words = line.split('#')[0]?.trim().split(/\s+/).filter(Boolean) ?? [];
  if (words.length === 0) continue;
  const as = words.indexOf('as');
  const rename = as >= 0 ? words[as + 1] : undefined;
  const [name = '', ...overloads] = as >= 0 ? words.slice(0, as) : words;
  const variants = overloads.map((overload) => {
    const schema = bySignature.get(`${name}.${overload === '-' ? '' : overload}`);
    if (!schema) throw new Error(`libtorch has no aten::${name} with overload '${overload}'`);
    const constant = `${name}_${schema.overload || 'default'}`;
    operators.push(`const ${constant} = new Operator('aten::${name}', '${schema.overload}');`);
    return { schema, constant };
  });
  const [first] = variants;
  if (!first) throw new Error(`aten::${name} names no overload`);
  const isMethod =
    first.schema.parameters[0]?.name === 'self' &&
    first.schema.parameters[0].schemaType.startsWith('Tensor') &&
    !first.schema.parameters[0].schemaType.endsWith(']');
  const inPlace = /^Tensor\(a!\)$/.test(first.schema.result);
  const result = resultOf(first.schema.result);
  if (inPlace) result.type = isMethod ? 'this' : 'void';

  // Overloads differ in the type of one argument, mostly the one after self. That argument selects the overload.
  const decidingPlace = first.schema.parameters.findIndex((parameter, place) =>
    variants.some(({ schema }) => schema.parameters[place]?.schemaType !== parameter.schemaType),
  );
  // All overloads share one parameter list, in which the deciding argument may be a tensor, a number or a list.
  const merged = new Map();
  for (const { schema } of variants)
    for (const [index, parameter] of schema.parameters.entries()) {
      if (isMethod && index === 0) continue;
      const described = typeOf(parameter.schemaType);
      if (!described) continue;
      // Overloads name the deciding argument differently (`other`, `scalar`), so its position identifies it.
      const key = index === decidingPlace ? first.schema.parameters[decidingPlace]?.name : parameter.name;
      const before = merged.get(key);
      if (before) before.types.add(described.type);
      else
        merged.set(key, {
          name: key,
          types: new Set([described.type]),
          optional: parameter.hasDefault || described.optional || parameter.keywordOnly,
          required: parameter.keywordOnly && !parameter.hasDefault && !described.optional,
          keywordOnly: parameter.keywordOnly,
        });
    }
  const parameters = [...merged.values()];
  const positional = parameters.filter((parameter) => !parameter.keywordOnly);
  const keywords = parameters.filter((parameter) => parameter.keywordOnly);
  // An optional parameter before a required one cannot be left out, but it can be undefined.
  const lastRequired = positional.findLastIndex((parameter) => !parameter.optional);
  const typesOf = (/** @type {{types: Set<string>}} */ parameter) => [...parameter.types].join(' | ');
  const declared = positional.map((parameter, index) =>
    parameter.optional && index > lastRequired
      ? `${parameter.name}?: ${typesOf(parameter)}`
      : `${parameter.name}: ${typesOf(parameter)}${parameter.optional ? ' | undefined' : ''}`,
  );
  if (keywords.length > 0) {
    const anyRequired = keywords.some((keyword) => keyword.required);
    declared.push(
      `options${anyRequired ? '' : '?'}: { ${keywords.map((k) => `${k.name}${k.required ? '' : '?'}: ${typesOf(k)}${k.required ? '' : ' | undefined'}`).join('; ')} }`,
    );
  }

  const invocation = (/** @type {{schema: any, constant: string}} */ { schema, constant }) => {
    const given = schema.parameters.map((/** @type {any} */ parameter, /** @type {number} */ index) => {
      if (isMethod && index === 0) return 'this.handle';
      const described = typeOf(parameter.schemaType);
      if (!described) return 'undefined';
      const key = index === decidingPlace ? first.schema.parameters[decidingPlace]?.name : parameter.name;
      const of = merged.get(key);
      const access = of.keywordOnly ? `options?.${key}` : key;
      if (described.optional === false && of.optional && described.tensors) return `${access}?.map(handleOf)`;
      return described.hand(access);
    });
    while (given.at(-1) === 'undefined') given.pop();
    const call = `${result.type === 'void' || inPlace ? 'invokeInPlace' : 'invoke'}(${[constant, ...given].join(', ')})`;
    if (inPlace && isMethod) return [`${call};`, 'return this;'];
    if (result.type === 'void' || inPlace) return [`${call};`];
    return [`return ${result.make?.replace('RESULT', call)};`];
  };
  const body = [];
  const deciding = first.schema.parameters[decidingPlace];
  for (const [index, variant] of variants.entries()) {
    if (index === variants.length - 1) body.push(...invocation(variant));
    else {
      const type = typeOf(variant.schema.parameters[decidingPlace].schemaType)?.type ?? '';
      const test =
        type === 'Tensor'
          ? `${deciding?.name} instanceof Tensor`
          : type.startsWith('readonly')
            ? `Array.isArray(${deciding?.name})`
            : `typeof ${deciding?.name} === 'number'`;
      const block = invocation(variant);
      body.push(
        `if (${test}) {`,
        ...block.map((statement) => `  ${statement}`),
        ...(block.at(-1)?.startsWith('return') ? [] : ['  return;']),
        '}',
      );
    }
  }
  const typescriptName = rename ?? camelCase(name);
  const documentation = `/** \`${variants.map(({ schema }) => schema.text).join('`, `')}\` */`;
  // TypeScript cannot narrow readonly arrays by `Array.isArray`, so the implementation takes `any` there.
  const loose =
    variants.length > 1 &&
    [...merged.values()].some((parameter) =>
      [...parameter.types].some((type) => type.startsWith('readonly')),
    );
  const implemented = loose
    ? declared.map((text) =>
        text
          .replace(/: .*(readonly Tensor\[\]|readonly number\[\]).*\|.*$/, ': any')
          .replace(/: .*\|.*(readonly Tensor\[\]|readonly number\[\]).*$/, ': any'),
      )
    : declared;
  if (isMethod) {
    methods.push(`    ${documentation}\n    ${typescriptName}(${declared.join(', ')}): ${result.type};`);
    assignments.push(
      `Tensor.prototype.${typescriptName} = function (${implemented.join(', ')}) {\n  ${body.join('\n  ')}\n};`,
    );
  } else {
    const signature = loose
      ? `export function ${typescriptName}(${declared.join(', ')}): ${result.type};\n`
      : '';
    functions.push(
      `${signature ? `${documentation}\n${signature}` : `${documentation}\n`}export function ${typescriptName}(${implemented.join(', ')}): ${result.type} {\n  ${body.join('\n  ')}\n}`,
    );
  }
}

writeFileSync(
  new URL('src/operators.generated.ts', folder),
  `// Generated by scripts/generate-operators.mjs from operators.txt and libtorch's schemas. Do not edit.
import { invoke, invokeInPlace, Operator } from './dispatcher.js';
import { type Dtype, dtypeCode, type MemoryFormat, memoryFormatCode } from './dtype.js';
import { Tensor } from './tensor.js';

function handleOf(tensor: Tensor): number;
function handleOf(tensor: Tensor | undefined): number | null;
function handleOf(tensor: Tensor | undefined): number | null {
  return tensor === undefined ? null : tensor.handle;
}

${operators.join('\n')}

declare module './tensor.js' {
  interface Tensor {
${methods.join('\n')}
  }
}

${assignments.join('\n\n')}

${functions.join('\n\n')}
`,
);
console.log(`${methods.length} methods, ${functions.length} functions`);
