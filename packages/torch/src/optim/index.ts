export * from './adam.js';
export * from './gradient-clipping.js';
export * from './optimizer.js';
export * from './rmsprop.js';
export * from './schedules.js';
export * from './sgd.js';
