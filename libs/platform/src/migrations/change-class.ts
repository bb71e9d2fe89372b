import { type AlterTableCmd, type ColumnDef, type Node, parse, type RangeVar } from 'libpg-query';
import { changeClasses, type ChangeClass } from './ledger.js';

export interface ParkedName {
  readonly kind: 'schema' | 'table' | 'column' | 'view' | 'matview';
  readonly object: string;
}

/**
 * The class of a change, read from its SQL by PostgreSQL's own parser. What is done to an object that the same SQL made
 * counts for nothing; a statement that is not known counts as lossy.
 */
export async function changeClassOf(statements: readonly string[]): Promise<ChangeClass> {
  const made = new Made();
  let worst: ChangeClass = 'metadata';
  for (const node of await nodesOf(statements)) {
    const found = classOfStatement(node, made);
    if (changeClasses.indexOf(found) > changeClasses.indexOf(worst)) worst = found;
  }
  return worst;
}

/** The objects that the SQL renames to `…__parked`. */
export async function parkedBy(statements: readonly string[]): Promise<readonly ParkedName[]> {
  const parked: ParkedName[] = [];
  for (const node of await nodesOf(statements)) {
    if (!('RenameStmt' in node) || node.RenameStmt.newname?.endsWith('__parked') !== true) continue;
    const { renameType, relation, subname } = node.RenameStmt;
    const table = `${relation?.schemaname ?? ''}.${relation?.relname ?? ''}`;
    if (renameType === 'OBJECT_SCHEMA') parked.push({ kind: 'schema', object: subname ?? '' });
    if (renameType === 'OBJECT_COLUMN') parked.push({ kind: 'column', object: `${table}.${subname ?? ''}` });
    if (renameType === 'OBJECT_TABLE') parked.push({ kind: 'table', object: table });
    if (renameType === 'OBJECT_VIEW') parked.push({ kind: 'view', object: table });
    if (renameType === 'OBJECT_MATVIEW') parked.push({ kind: 'matview', object: table });
  }
  return parked;
}

async function nodesOf(statements: readonly string[]): Promise<Node[]> {
  const nodes: Node[] = [];
  for (const sql of statements) {
    for (const statement of (await parse(sql)).stmts ?? []) {
      if (statement.stmt) nodes.push(statement.stmt);
    }
  }
  return nodes;
}

/** The schemas and relations that the SQL itself made: nobody can depend on them yet. */
class Made {
  private readonly names = new Set<string>();

  add(relation: RangeVar | undefined): void {
    this.names.add(`${relation?.schemaname ?? ''}.${relation?.relname ?? ''}`);
  }

  addSchema(name: string | undefined): void {
    this.names.add(`${name ?? ''}.`);
  }

  has(relation: RangeVar | undefined): boolean {
    const schema = `${relation?.schemaname ?? ''}.`;
    return (schema !== '.' && this.names.has(schema)) || this.names.has(`${schema}${relation?.relname ?? ''}`);
  }
}

function classOfStatement(node: Node, made: Made): ChangeClass {
  if ('CreateSchemaStmt' in node) {
    made.addSchema(node.CreateSchemaStmt.schemaname);
    return 'additive';
  }
  if ('CreateStmt' in node) {
    made.add(node.CreateStmt.relation);
    return 'additive';
  }
  if ('CreateTableAsStmt' in node) {
    made.add(node.CreateTableAsStmt.into?.rel);
    return 'additive';
  }
  if ('ViewStmt' in node) {
    made.add(node.ViewStmt.view);
    return 'additive';
  }
  if ('IndexStmt' in node)
    return node.IndexStmt.unique && !made.has(node.IndexStmt.relation) ? 'contracting' : 'metadata';
  if ('AlterTableStmt' in node) {
    if (made.has(node.AlterTableStmt.relation)) return 'additive';
    return worstOf(
      (node.AlterTableStmt.cmds ?? []).map((command) =>
        'AlterTableCmd' in command ? classOfCommand(command.AlterTableCmd) : 'lossy',
      ),
    );
  }
  if ('RenameStmt' in node) return 'contracting';
  if ('DropStmt' in node) return dropped[node.DropStmt.removeType ?? ''] ?? 'lossy';
  if ('UpdateStmt' in node) return made.has(node.UpdateStmt.relation) ? 'additive' : 'lossy';
  if ('DeleteStmt' in node) return made.has(node.DeleteStmt.relation) ? 'additive' : 'lossy';
  return simple[Object.keys(node)[0] ?? ''] ?? 'lossy';
}

function classOfCommand(command: AlterTableCmd): ChangeClass {
  if (command.subtype === 'AT_AddColumn') {
    return command.def && 'ColumnDef' in command.def && refusesOldWriters(command.def.ColumnDef)
      ? 'contracting'
      : 'additive';
  }
  return altered[command.subtype ?? ''] ?? 'lossy';
}

/** Whether an INSERT that does not name the column fails. */
function refusesOldWriters(column: ColumnDef): boolean {
  const kinds = (column.constraints ?? []).map((constraint) =>
    'Constraint' in constraint ? constraint.Constraint.contype : undefined,
  );
  const supplied = kinds.some(
    (kind) => kind === 'CONSTR_DEFAULT' || kind === 'CONSTR_IDENTITY' || kind === 'CONSTR_GENERATED',
  );
  return !supplied && kinds.some((kind) => kind === 'CONSTR_NOTNULL' || kind === 'CONSTR_PRIMARY');
}

function worstOf(classes: readonly ChangeClass[]): ChangeClass {
  return classes.reduce(
    (worst, next) => (changeClasses.indexOf(next) > changeClasses.indexOf(worst) ? next : worst),
    'metadata',
  );
}

const simple: Readonly<Record<string, ChangeClass>> = {
  AlterEnumStmt: 'additive',
  AlterFunctionStmt: 'metadata',
  AlterOwnerStmt: 'metadata',
  AlterSeqStmt: 'metadata',
  CommentStmt: 'metadata',
  CompositeTypeStmt: 'additive',
  CreateDomainStmt: 'additive',
  CreateEnumStmt: 'additive',
  CreateExtensionStmt: 'additive',
  CreateFunctionStmt: 'additive',
  CreateSeqStmt: 'additive',
  CreateStatsStmt: 'metadata',
  CreateTrigStmt: 'additive',
  GrantStmt: 'metadata',
  InsertStmt: 'additive',
  RefreshMatViewStmt: 'metadata',
  SelectStmt: 'metadata',
  VariableSetStmt: 'metadata',
};

const dropped: Readonly<Record<string, ChangeClass>> = {
  OBJECT_INDEX: 'metadata',
  OBJECT_FUNCTION: 'contracting',
  OBJECT_MATVIEW: 'contracting',
  OBJECT_TRIGGER: 'contracting',
  OBJECT_VIEW: 'contracting',
};

const altered: Readonly<Record<string, ChangeClass>> = {
  AT_AddConstraint: 'contracting',
  AT_AddIdentity: 'contracting',
  AT_AttachPartition: 'additive',
  AT_ColumnDefault: 'metadata',
  AT_DisableTrig: 'metadata',
  AT_DropConstraint: 'metadata',
  AT_DropNotNull: 'metadata',
  AT_EnableTrig: 'metadata',
  AT_ReplicaIdentity: 'metadata',
  AT_ResetRelOptions: 'metadata',
  AT_SetNotNull: 'contracting',
  AT_SetRelOptions: 'metadata',
  AT_SetStatistics: 'metadata',
  AT_SetStorage: 'metadata',
  AT_ValidateConstraint: 'metadata',
};
