import { describeSpace } from '../spaces/conformance.js';
import { branching, cell, forced, nested } from './tiny-spaces.js';

describeSpace(branching, { deepest: 3 }, { size: 14n, small: { deepest: 4 }, smallSize: 30n });
describeSpace(cell, { nodes: 4 }, { size: 180n * 4n ** 4n, small: {}, smallSize: 48n });
describeSpace(nested, { most: 3 }, { size: 9n + 81n + 729n, small: { most: 2 }, smallSize: 90n });
describeSpace(forced, {}, { size: 1n, small: {}, smallSize: 1n });
