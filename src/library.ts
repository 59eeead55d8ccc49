/**
 * The door of the package, `xen-p2m`: the model, and the engine upon it. The rooms behind this one take index.ts, the model
 * alone: the engine brings rxjs along, which takes as long to load as all of the model.
 */
export * from './index.js';
export * from './command.js';
export * from './engine.js';
export * from './engine_options.js';
export type { EngineLog, FeedState, Patience } from './log_feed.js';
export * from './owned_mutex.js';
export * from './ready_engine.js';
