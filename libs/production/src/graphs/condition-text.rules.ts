import { operators, type Condition, type Operator, type Term } from './condition.rules.js';

/** How an imported quantity threshold was written: both ends are included. */
interface QtyThreshold {
  readonly minQty?: number | undefined;
  readonly maxQty?: number | undefined;
}

/** The condition that an imported threshold means; null when it has no end. */
export function conditionOfThreshold({ minQty, maxQty }: QtyThreshold): Condition | null {
  const terms: Term[] = [];
  if (minQty !== undefined) terms.push({ type: 'token_property', field: 'qty', op: '>=', value: minQty });
  if (maxQty !== undefined) terms.push({ type: 'token_property', field: 'qty', op: '<=', value: maxQty });
  return terms.length === 0 ? null : { groups: [terms] };
}

const owners = { token: 'token_property', job: 'job_property', node: 'node_property' } as const;
const sign = /\s*(==|!=|>=|<=|>|<|NOT_IN\b|IN\b|CONTAINS\b|STARTS_WITH\b|AND\b|OR\b|default\b|[(),])/y;
const name = /\s*(token|job|node)\.([\w.]{1,200})/y;
const number = /\s*(-?\d{1,15}(?:\.\d{1,6})?)/y;
const text = /\s*(?:'([^'\\]*)'|"([^"\\]*)")/y;
const word = /\s*(true|false)\b/y;

/**
 * Translates an imported expression such as `token.qty >= 10 AND job.line == 'oem' OR job.priority > 5`. AND binds more
 * closely than OR; there are no brackets but those of lists: `job.line IN ('oem', 'hybrid')`. Null when it is written in
 * any other way: nothing of a text is ever guessed or evaluated.
 */
export function conditionOfText(expression: string): Condition | null {
  const reader = new Reader(expression);
  const groups: Term[][] = [];
  do {
    const terms: Term[] = [];
    do {
      const term = reader.term();
      if (!term) return null;
      terms.push(term);
    } while (reader.takes('AND'));
    groups.push(terms);
  } while (reader.takes('OR'));
  return reader.atEnd ? { groups } : null;
}

class Reader {
  #at = 0;

  constructor(private readonly source: string) {}

  get atEnd(): boolean {
    return this.source.slice(this.#at).trim() === '';
  }

  takes(wanted: string): boolean {
    const before = this.#at;
    if (this.next(sign)?.[1] === wanted) return true;
    this.#at = before;
    return false;
  }

  term(): Term | null {
    if (this.takes('default')) return { type: 'default' };
    const [, owner, field] = this.next(name) ?? [];
    const found = this.next(sign)?.[1];
    const op = operators.find((one) => one === found);
    if (!isOwner(owner) || field === undefined || op === undefined) return null;
    const value = this.value(op);
    return value === undefined ? null : { type: owners[owner], field, op, value };
  }

  private value(op: Operator): string | number | boolean | (string | number | boolean)[] | undefined {
    if (op !== 'IN' && op !== 'NOT_IN') return this.literal();
    if (!this.takes('(')) return undefined;
    const values = [];
    do {
      const one = this.literal();
      if (one === undefined) return undefined;
      values.push(one);
    } while (this.takes(','));
    return this.takes(')') ? values : undefined;
  }

  private literal(): string | number | boolean | undefined {
    const quoted = this.next(text);
    if (quoted) return quoted[1] ?? quoted[2];
    const found = this.next(word) ?? this.next(number);
    if (!found) return undefined;
    return found[1] === 'true' || found[1] === 'false' ? found[1] === 'true' : Number(found[1]);
  }

  private next(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.source);
    if (found) this.#at = pattern.lastIndex;
    return found;
  }
}

function isOwner(owner: string | undefined): owner is keyof typeof owners {
  return owner !== undefined && Object.hasOwn(owners, owner);
}
