export type { AssignmentChanged, GraphPublished, JobChanged, QueueWake, TokenEvent } from './production.events.js';
export { production } from './production.manifest.js';
