export const jobLines = ['atelier', 'oem', 'hybrid'] as const;
export const jobStatuses = ['planned', 'in_progress', 'completed', 'cancelled'] as const;
export const processModes = ['piece', 'batch'] as const;
export const executions = ['tokens', 'stations'] as const;

export type JobLine = (typeof jobLines)[number];
