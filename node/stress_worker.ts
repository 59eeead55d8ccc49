import { parentPort } from 'node:worker_threads';
import { runStressJob, type StressJob } from '../replay/index.js';

// The threads of stress rounds: each message is a job, and is answered by how the thread ended.
parentPort?.on('message', (job: StressJob) => parentPort?.postMessage(runStressJob(job)));
