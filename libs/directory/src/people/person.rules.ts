/** How much of a value somebody gets to see. */
export type Level = 'full' | 'partial' | 'hidden';

/** A person as stored, and how far the viewer may look at each part of them. */
export interface SeenPerson {
  readonly id: string;
  readonly kind: 'person' | 'machine';
  readonly status: 'active' | 'suspended' | 'left';
  readonly username: string;
  readonly displayName: string;
  readonly givenName: string | null;
  readonly familyName: string | null;
  readonly email: string | null;
  readonly employeeNo: string | null;
  readonly avatarUrl: string | null;
  readonly levels: Levels;
}

export interface Levels {
  readonly name: Level;
  readonly username: Level;
  readonly email: Level;
  readonly employeeNo: Level;
  readonly avatar: Level;
}

export const everything: Levels = {
  name: 'full',
  username: 'full',
  email: 'full',
  employeeNo: 'full',
  avatar: 'full',
};

/** A person as shown: what is masked is absent or shortened, and named in `masked`. */
export interface ShownPerson {
  readonly id: string;
  readonly kind: 'person' | 'machine';
  readonly status: 'active' | 'suspended' | 'left';
  readonly displayName: string;
  readonly givenName: string | null;
  readonly familyName: string | null;
  readonly username: string | null;
  readonly email: string | null;
  readonly employeeNo: string | null;
  readonly avatarUrl: string | null;
  readonly masked: (keyof Levels)[];
}

/** The only place that turns a stored person into what leaves Belay: answers, exports and streams alike. */
export function shown(person: SeenPerson): ShownPerson {
  const { levels } = person;
  const open = levels.name === 'full';
  return {
    id: person.id,
    kind: person.kind,
    status: person.status,
    displayName: open
      ? person.displayName
      : levels.name === 'partial'
        ? initial(person.displayName)
        : pseudonym(person.id),
    givenName: open ? person.givenName : null,
    familyName: open ? person.familyName : null,
    username:
      levels.username === 'full' ? person.username : levels.username === 'partial' ? ends(person.username) : null,
    email: levels.email === 'full' ? person.email : null,
    employeeNo: levels.employeeNo === 'full' ? person.employeeNo : null,
    avatarUrl: levels.avatar === 'full' ? person.avatarUrl : null,
    masked: maskedFields(levels),
  };
}

/** Also names fields that have no value, because whether there is one is part of what is masked. */
export function maskedFields(levels: Levels): (keyof Levels)[] {
  const fields = ['name', 'username', 'email', 'employeeNo', 'avatar'] as const;
  return fields.filter((field) => levels[field] !== 'full');
}

/** The first letter alone: never two of them side by side, whatever the name. */
function initial(name: string): string {
  return `${/\p{L}/u.exec(name.normalize('NFC'))?.[0] ?? ''}•••`;
}

/** From the random end of the id: neither the name nor the employee number can be found in it. */
function pseudonym(id: string): string {
  return `Operator #${id.slice(-6).toUpperCase()}`;
}

/** Enough for colleagues to tell two sign-ins apart; a short username would be given away by its ends. */
function ends(username: string): string {
  return username.length < 6 ? '••••' : `${username.slice(0, 2)}••••${username.slice(-2)}`;
}
