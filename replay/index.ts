export * from './conform/conform.js';
export * from './conform/vector.js';
export * from './recording/gunzip.js';
export * from './recording/recording.js';
export * from './run/replay_recording.js';
export * from './run/report.js';
export type { Files } from './recording/list_dump.js';
