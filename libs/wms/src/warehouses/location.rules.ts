import type { LocationType } from './location.contract.js';

/** Where goods are on their way, nothing is picked for an order. */
export function canBePicked(type: LocationType): boolean {
  return !['dock', 'staging', 'virtual'].includes(type);
}

export function isDefault(code: string): boolean {
  return code.toUpperCase() === 'DEFAULT';
}
