export * from './contract.js';
export * from './events_header.js';
export * from './formats.js';
export * from './jsonl_layout.js';
export * from './jsonl_reader.js';
export { VERSION as LOG_VERSION } from './layout.js';
export * from './log_reader.js';
export * from './log_writer.js';
