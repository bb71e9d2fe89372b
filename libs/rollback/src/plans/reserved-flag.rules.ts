/** Names that the overlay keeps for itself, as the platform has them; a test compares. */
export const EMERGENCY_ROLLBACK = 'emergency_rollback';
export const PLATFORM_WRITES = 'platform_writes';
