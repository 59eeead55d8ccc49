export { quoted } from '../replay/index.js';
