export { rollback } from './rollback.manifest.js';
