export * from './errors.js';
export * from './word.js';
export * from './kinds.js';
export * from './batch.js';
