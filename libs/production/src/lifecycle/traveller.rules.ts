import type { LockedToken } from '../production.command.js';
import type {
  MadeToken,
  NewToken,
  TokenChange,
  TokenEvent,
  TokenFields,
  VisitEntry,
  VisitMark,
} from './token.store.js';
import {
  admittedStatuses,
  type EventType,
  type HoldCode,
  type QueueReason,
  type TokenStatus,
  type VisitOutcome,
} from './token.rules.js';

/** What all travellers of a command have in common. */
interface Way {
  /** Events of all of them are told in one order. */
  nextNo(): number;
  /** Somebody has done with something at the node. */
  vacate(nodeId: string): void;
}

export interface Told extends TokenEvent {
  readonly no: number;
}

type Mutable<Facts> = { -readonly [Name in keyof Facts]: Facts[Name] };

interface State {
  status: TokenStatus;
  nodeId: string;
  set: Mutable<TokenFields>;
  mark: Mutable<VisitMark> | undefined;
  /** Where it came to in this command and still is. */
  here: VisitEntry | undefined;
  passed: VisitEntry[];
  told: Told[];
}

/** Whatever of a token routing has to know. */
export type TravellerFacts = Pick<
  LockedToken,
  | 'id'
  | 'type'
  | 'serial'
  | 'serialRev'
  | 'parentId'
  | 'groupId'
  | 'branchKey'
  | 'branchNo'
  | 'holdCode'
  | 'queueReason'
  | 'qty'
  | 'reworkCount'
  | 'reworkLimit'
  | 'priority'
  | 'metadata'
  | 'qcResult'
  | 'firstSpawnedAt'
>;

/**
 * A token on its way in one command. What happens to it is only noted until it is written; back to the last point at which
 * it can stay it can be taken back.
 */
export class Traveller {
  readonly id: string;
  /** It has no other place to stay, so it is let into a queue however long that is. */
  mustBeLetIn = false;
  /** Whether it was made in this command. */
  readonly wasMade: boolean;
  #made: NewToken | undefined;
  #root: Traveller | undefined;
  #was: TokenStatus;
  #hasMoved = false;
  #writes = 0;
  #state: State;
  #kept: State;
  #written: TokenFields = {};

  constructor(
    private readonly way: Way,
    readonly facts: TravellerFacts,
    at: { readonly status: TokenStatus; readonly nodeId: string },
    { made, root }: { readonly made?: NewToken; readonly root?: Traveller | undefined } = {},
  ) {
    this.id = facts.id;
    this.#made = made;
    this.wasMade = made !== undefined;
    this.#root = root;
    this.#was = at.status;
    this.#state = { ...at, set: {}, mark: undefined, here: undefined, passed: [], told: [] };
    this.#kept = copyOf(this.#state);
  }

  /** Whether nothing of it is written yet. */
  get isNew(): boolean {
    return this.#made !== undefined;
  }

  /** Who stays where it was when this one finds no room: itself, or whoever was split up. */
  get root(): Traveller {
    return this.#root ?? this;
  }

  get nodeId(): string {
    return this.#state.nodeId;
  }

  /** Whether it came to where it is since it was written. */
  get hasJustCome(): boolean {
    return this.#state.here !== undefined;
  }

  /** How often its row was written since it joined. */
  get writes(): number {
    return this.#writes;
  }

  /** Whether this command has moved it, or ended its way. */
  get hasMoved(): boolean {
    return this.#hasMoved;
  }

  get status(): TokenStatus {
    return this.#state.status;
  }

  get holdCode(): HoldCode | null {
    const { holdCode } = this.fields;
    return holdCode === undefined ? this.facts.holdCode : holdCode;
  }

  get queueReason(): QueueReason | null {
    const { queueReason } = this.fields;
    return queueReason === undefined ? this.facts.queueReason : queueReason;
  }

  get metadata(): Readonly<Record<string, unknown>> {
    return this.fields.metadata ?? this.facts.metadata;
  }

  get qcResult(): Readonly<Record<string, unknown>> | null {
    return this.fields.qcResult ?? this.facts.qcResult;
  }

  get reworkCount(): number {
    return this.fields.reworkCount ?? this.facts.reworkCount;
  }

  get qty(): number {
    return this.fields.qty ?? this.facts.qty;
  }

  private get fields(): TokenFields {
    return { ...this.#written, ...this.#state.set };
  }

  /** Has it stay where it is now if it finds no room further on. */
  keep(): void {
    this.#kept = copyOf(this.#state);
  }

  /** False when it was there already at the last point at which it can stay. */
  takeBack(): boolean {
    if (this.#kept.nodeId === this.#state.nodeId) return false;
    this.#state = copyOf(this.#kept);
    return true;
  }

  set(fields: TokenFields): void {
    Object.assign(this.#state.set, fields);
  }

  become(status: TokenStatus): void {
    this.#state.status = status;
  }

  /** Every entry of its history says what it was afterwards. */
  tell(type: EventType, payload: Readonly<Record<string, unknown>> = {}): void {
    const { status, nodeId, told } = this.#state;
    told.push({ no: this.way.nextNo(), tokenId: this.id, type, nodeId, payload: { ...payload, status } });
  }

  /** Notes something on the visit that it makes. */
  mark(facts: Omit<VisitMark, 'tokenId'>): void {
    const { here, mark, nodeId } = this.#state;
    if (here) throw new Error('What has just begun is noted when it ends');
    this.#state.mark = { ...mark, tokenId: this.id, ...facts };
    this.way.vacate(nodeId);
  }

  enter(nodeId: string, payload: Readonly<Record<string, unknown>> = {}): void {
    this.#state.nodeId = nodeId;
    this.#state.here = { tokenId: this.id, nodeId, admitted: false };
    this.tell('NODE_ENTER', payload);
  }

  leave(outcome: VisitOutcome, payload: Readonly<Record<string, unknown>> = {}): void {
    this.tell('NODE_LEAVE', payload);
    this.endVisit(outcome);
  }

  /** Its way ends where it is. */
  end(status: 'completed' | 'scrapped' | 'merged' | 'consumed', outcome: VisitOutcome): void {
    this.become(status);
    this.endVisit(outcome);
    this.set({ holdCode: null, queueReason: null, queueEnteredAt: null });
  }

  /** Being held for the same reason again is no news. */
  hold(holdCode: HoldCode, payload: Readonly<Record<string, unknown>> = {}): void {
    const isNews = this.facts.holdCode !== holdCode || this.isNew;
    this.set({ holdCode });
    if (isNews) this.tell('HELD', { ...payload, holdCode });
  }

  promise(estimatedWaitMinutes: number | null): void {
    const { here } = this.#state;
    if (here) this.#state.here = { ...here, estimatedWaitMinutes };
  }

  /** What is to be written of it; from then on it is written. */
  write(): { made: MadeToken[]; changes: TokenChange[]; marks: VisitMark[]; entries: VisitEntry[]; told: Told[] } {
    const { status, nodeId, set, mark, here, passed, told } = this.#state;
    const admitted = admittedStatuses.some((one) => one === status);
    const isSame = status === this.#was && Object.keys(set).length === 0 && !here && passed.length === 0;
    const change: TokenChange = { id: this.id, from: [this.#was], to: status, set: { ...set, nodeId } };
    const written = {
      made: this.#made ? [{ ...this.#made, ...set, status, nodeId }] : [],
      changes: this.#made || isSame ? [] : [change],
      marks: mark ? [mark] : [],
      entries: here ? [...passed, { ...here, admitted }] : passed,
      told,
    };
    this.#writes += written.changes.length;
    this.#made = undefined;
    this.#root = undefined;
    this.#was = status;
    this.#written = { ...this.#written, ...set };
    this.#state = { status, nodeId, set: {}, mark: undefined, here: undefined, passed: [], told: [] };
    this.keep();
    return written;
  }

  private endVisit(outcome: VisitOutcome): void {
    this.#hasMoved = true;
    const { here, passed } = this.#state;
    if (here) passed.push({ ...here, admitted: true, leftAs: outcome });
    else this.mark({ leftAs: outcome });
    this.#state.here = undefined;
  }
}

/** What a token passes on to those that are made of it: not which ways it was sent, and what was filled in about it. */
export function inherited(metadata: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(metadata).filter(([name]) => name !== 'sent' && name !== 'forms'));
}

function copyOf(state: State): State {
  return {
    ...state,
    set: { ...state.set },
    mark: state.mark && { ...state.mark },
    passed: [...state.passed],
    told: [...state.told],
  };
}
