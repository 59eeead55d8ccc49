export * from './kept_log.js';
export * from './lock_file.js';
export * from './log_file.js';
export * from './log_storage.js';
export * from './recording_folder.js';
export * from './stderr_log.js';
export * from './index_folder.js';
