const strictness = ['on', 'drain', 'read_only', 'off'] as const;

/**
 * What a flag lets happen. `on`: everything. `drain`: nothing new starts, what is open may finish. `read_only`: reads go
 * on. `off`: nothing.
 */
export type Mode = (typeof strictness)[number];

export function stricter(one: Mode, other: Mode): Mode {
  return strictness.indexOf(one) >= strictness.indexOf(other) ? one : other;
}

/** The mode that the variant of a flag that is on stands for; a variant nobody knows is no reason to refuse. */
export function modeOfVariant(variant: string): Mode {
  return variant === 'drain' || variant === 'read_only' ? variant : 'on';
}
