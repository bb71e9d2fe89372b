/** From the least strict to the strictest. */
export const modes = ['on', 'drain', 'read_only', 'off'] as const;

/**
 * What a flag lets happen. `on`: everything. `drain`: nothing new starts, what is open may finish. `read_only`: reads go
 * on. `off`: nothing.
 */
export type Mode = (typeof modes)[number];

export function stricter(one: Mode, other: Mode): Mode {
  return modes.indexOf(one) >= modes.indexOf(other) ? one : other;
}

/** The mode that the variant of a flag that is on stands for; a variant nobody knows is no reason to refuse. */
export function modeOfVariant(variant: string): Mode {
  return variant === 'drain' || variant === 'read_only' ? variant : 'on';
}
