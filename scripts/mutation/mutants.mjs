import { parseAst } from 'vitest/node';

/**
 * One small fault in a text.
 * @typedef {object} Mutant
 * @property {number} line counted from 1
 * @property {number} start of what is replaced, in UTF-16 units
 * @property {number} end
 * @property {string} replacement
 * @property {string} before the lines that change, as they are, without their indentation
 * @property {string} after the same lines with the fault
 */

/** @typedef {any} Node of the syntax tree (ESTree with TypeScript) */

/** Operators that stand in for another one. A comparison is moved by one place, and turned round. */
const BINARY = new Map([
  ['+', ['-']],
  ['-', ['+']],
  ['*', ['/']],
  ['/', ['*']],
  ['%', ['*']],
  ['**', ['*']],
  ['<', ['<=', '>=']],
  ['<=', ['<', '>']],
  ['>', ['>=', '<=']],
  ['>=', ['>', '<']],
  ['===', ['!==']],
  ['!==', ['===']],
  ['&&', ['||']],
  ['||', ['&&']],
  ['??', ['&&']],
]);

const ASSIGNMENT = new Map([
  ['+=', '-='],
  ['-=', '+='],
  ['*=', '/='],
  ['/=', '*='],
  ['&&=', '='],
  ['||=', '='],
  ['??=', '='],
]);

/** Methods that stand in for another one. */
const METHODS = new Map([
  ['max', 'min'],
  ['min', 'max'],
  ['floor', 'ceil'],
  ['ceil', 'floor'],
  ['round', 'floor'],
  ['every', 'some'],
  ['some', 'every'],
  ['startsWith', 'endsWith'],
  ['endsWith', 'startsWith'],
  ['add', 'sub'],
  ['sub', 'add'],
  ['mul', 'div'],
  ['div', 'mul'],
]);

/** Methods whose calls give what they are called on, changed: without the call nothing changes. */
const CHANGES = new Set([
  'slice',
  'filter',
  'sort',
  'toSorted',
  'reverse',
  'toReversed',
  'trim',
  'detach',
  'neg',
]);

/**
 * All mutants of a TypeScript text, in the order of their places. Types, imports, and the texts of messages have none: a
 * wrong type does not compile, and a wrong text is no wrong number. So has nothing inside of `throw`, `.describe(...)`
 * and templates.
 *
 * @param {string} text
 * @returns {Mutant[]}
 */
export function mutantsOf(text) {
  /** @type {Mutant[]} */
  const mutants = [];

  /** @param {number} start @param {number} end @param {string} replacement */
  const add = (start, end, replacement) => mutants.push(mutantOf(text, start, end, replacement));
  /** The place of an operator between two operands. @param {string} operator @param {Node} left */
  const operatorAt = (operator, left) => text.indexOf(operator, left.end);
  /** @param {Node} node */
  const textOf = (node) => text.slice(node.start, node.end);

  /** @type {Record<string, (node: Node) => void>} */
  const mutators = {
    BinaryExpression: ({ operator, left, right }) => {
      if (operator === '+' && (isText(left) || isText(right))) return;
      for (const other of BINARY.get(operator) ?? []) {
        const at = operatorAt(operator, left);
        add(at, at + operator.length, other);
      }
    },
    LogicalExpression: (node) => mutators.BinaryExpression?.(node),
    ConditionalExpression: (node) => {
      add(node.start, node.end, `(${textOf(node.consequent)})`);
      add(node.start, node.end, `(${textOf(node.alternate)})`);
    },
    IfStatement: ({ test }) => {
      add(test.start, test.end, 'true');
      add(test.start, test.end, 'false');
    },
    // `true` would not end.
    WhileStatement: ({ test }) => add(test.start, test.end, 'false'),
    ForStatement: ({ test }) => test && add(test.start, test.end, 'false'),
    UnaryExpression: ({ operator, start, argument }) => {
      if (operator === '!' || operator === '-') add(start, argument.start, '');
    },
    UpdateExpression: ({ operator, prefix, start, end }) => {
      const at = prefix ? start : end - 2;
      add(at, at + 2, operator === '++' ? '--' : '++');
    },
    AssignmentExpression: ({ operator, left }) => {
      const other = ASSIGNMENT.get(operator);
      const at = operatorAt(operator, left);
      if (other !== undefined) add(at, at + operator.length, other);
    },
    Literal: ({ value, start, end }) => {
      if (typeof value === 'boolean') add(start, end, String(!value));
      if (typeof value === 'bigint') add(start, end, `${value + 1n}n`);
      if (typeof value === 'number') add(start, end, String(Number.isInteger(value) ? value + 1 : 2 * value));
    },
    ExpressionStatement: ({ start, end, expression }) => {
      if (expression.type !== 'CallExpression' || expression.callee.type !== 'Super') add(start, end, ';');
    },
    BreakStatement: ({ start, end }) => add(start, end, ';'),
    ContinueStatement: ({ start, end }) => add(start, end, ';'),
    CallExpression: ({ callee, end, arguments: given }) => {
      if (callee.type === 'MemberExpression' && callee.property.type === 'Identifier') {
        const { name, start: at, end: to } = callee.property;
        const other = METHODS.get(name);
        if (other !== undefined) add(at, to, other);
        if (CHANGES.has(name)) add(callee.object.end, end, '');
      }
      given.forEach(withoutProperties);
    },
    NewExpression: ({ arguments: given }) => given.forEach(withoutProperties),
    MemberExpression: ({ optional, computed, object }) => {
      if (!optional) return;
      const at = operatorAt('?.', object);
      add(at, at + 2, computed ? '' : '.');
    },
  };

  /** What is handed over is left out, one by one. @param {Node} node */
  function withoutProperties(node) {
    if (node.type !== 'ObjectExpression') return;
    for (const { start, end, key } of node.properties) {
      // It takes another device to notice.
      if (key?.name === 'device') continue;
      const comma = /^\s*,/.exec(text.slice(end))?.[0].length ?? 0;
      add(start, end + comma, '');
    }
  }

  /** @param {Node} node */
  function visit(node) {
    if (ignored(node)) return;
    mutators[node.type]?.(node);
    for (const child of childrenOf(node)) visit(child);
  }

  visit(parseAst(text, { lang: 'ts', astType: 'ts' }));
  return mutants.sort((a, b) => a.start - b.start || a.end - b.end);
}

/** Types have no mutants, but the expressions that they are said of. */
const TYPED = new Set(['TSAsExpression', 'TSNonNullExpression', 'TSSatisfiesExpression']);

/** @param {Node} node */
function ignored({ type, callee }) {
  if (type.startsWith('TS')) return !TYPED.has(type);
  return (
    type === 'ImportDeclaration' ||
    type === 'ThrowStatement' ||
    type === 'TemplateLiteral' ||
    (type === 'CallExpression' && callee.type === 'Super')
  );
}

/** @param {Node} node @returns {Node[]} */
function childrenOf(node) {
  // The chain before `.describe(...)` has mutants, its text has not.
  if (node.type === 'CallExpression' && node.callee.property?.name === 'describe') return [node.callee];
  return Object.values(node)
    .flat()
    .filter((child) => typeof child?.type === 'string');
}

/** @param {Node} node */
function isText({ type, value, operator, left, right }) {
  if (type === 'BinaryExpression' && operator === '+') return isText(left) || isText(right);
  return type === 'TemplateLiteral' || (type === 'Literal' && typeof value === 'string');
}

/**
 * @param {string} text @param {number} start @param {number} end @param {string} replacement
 * @returns {Mutant}
 */
function mutantOf(text, start, end, replacement) {
  const from = text.lastIndexOf('\n', start - 1) + 1;
  const next = text.indexOf('\n', end);
  const to = next < 0 ? text.length : next;
  const oneLine = (/** @type {string} */ lines) => lines.replace(/\s+/g, ' ').trim();
  return {
    line: text.slice(0, start).split('\n').length,
    start,
    end,
    replacement,
    before: oneLine(text.slice(from, to)),
    after: oneLine(text.slice(from, start) + replacement + text.slice(end, to)),
  };
}

/** Whether a text with a fault is still a program. @param {string} text @param {Mutant} mutant */
export function parses(text, { start, end, replacement }) {
  try {
    parseAst(text.slice(0, start) + replacement + text.slice(end), { lang: 'ts', astType: 'ts' });
    return true;
  } catch {
    return false;
  }
}
