import type pg from 'pg';
import { z } from 'zod';

/** A view of somebody else that rests on a schema, as the statements that make it anew. */
interface Dependent {
  readonly name: string;
  readonly kind: 'view' | 'materialized view';
  readonly create: readonly string[];
}

export interface Dependents {
  /** In the order in which they can be made. */
  readonly views: readonly Dependent[];
  /** Whatever else rests on it, which nobody here can make anew. */
  readonly others: readonly string[];
}

// The `…s` of the schema and, from one to the next, the views outside that rest on them.
const closure = `
  WITH RECURSIVE own AS (
    SELECT 'pg_class'::regclass AS class, oid FROM pg_class WHERE relnamespace = $1::regnamespace
    UNION ALL SELECT 'pg_proc'::regclass, oid FROM pg_proc WHERE pronamespace = $1::regnamespace
    UNION ALL SELECT 'pg_type'::regclass, oid FROM pg_type WHERE typnamespace = $1::regnamespace),
  resting AS (
    SELECT v.oid, 1 AS depth
    FROM own o
    JOIN pg_depend d ON d.refclassid = o.class AND d.refobjid = o.oid AND d.classid = 'pg_rewrite'::regclass
    JOIN pg_rewrite r ON r.oid = d.objid
    JOIN pg_class v ON v.oid = r.ev_class AND v.relnamespace <> $1::regnamespace
    UNION
    SELECT v.oid, f.depth + 1
    FROM resting f
    JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = f.oid AND d.classid = 'pg_rewrite'::regclass
    JOIN pg_rewrite r ON r.oid = d.objid
    JOIN pg_class v ON v.oid = r.ev_class AND v.oid <> f.oid
    WHERE f.depth < 100)`;

const view = z.object({
  name: z.string(),
  kind: z.enum(['view', 'materialized view']),
  inside: z.boolean(),
  create: z.array(z.string()),
});

// Everything is written with its schema, because none is looked in.
const views = `${closure},
  ordered AS (SELECT oid, max(depth) AS depth FROM resting GROUP BY oid)
  SELECT format('%I.%I', n.nspname, c.relname) AS name,
         CASE c.relkind WHEN 'm' THEN 'materialized view' ELSE 'view' END AS kind,
         c.relnamespace = $1::regnamespace AS inside,
         ARRAY[format('CREATE %s %I.%I%s AS %s%s', CASE c.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END,
                      n.nspname, c.relname, CASE WHEN c.reloptions IS NOT NULL THEN ' WITH (' || array_to_string(c.reloptions, ', ') || ')' END,
                      rtrim(pg_get_viewdef(c.oid), ';'),
                      CASE WHEN c.relkind = 'm' AND NOT c.relispopulated THEN ' WITH NO DATA' END)]
         || ARRAY(SELECT pg_get_indexdef(i.indexrelid) FROM pg_index i WHERE i.indrelid = c.oid ORDER BY i.indexrelid)
         || ARRAY(SELECT pg_get_ruledef(r.oid) FROM pg_rewrite r WHERE r.ev_class = c.oid AND r.rulename <> '_RETURN' ORDER BY r.rulename)
         || ARRAY(SELECT pg_get_triggerdef(t.oid) FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal ORDER BY t.tgname)
         || ARRAY(SELECT format('ALTER VIEW %I.%I ALTER COLUMN %I SET DEFAULT %s', n.nspname, c.relname, a.attname,
                                pg_get_expr(f.adbin, f.adrelid))
                  FROM pg_attrdef f JOIN pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = f.adnum WHERE f.adrelid = c.oid)
         || format('ALTER TABLE %I.%I OWNER TO %I', n.nspname, c.relname, pg_get_userbyid(c.relowner))
         || ARRAY(SELECT format('GRANT %s ON %I.%I TO %s%s', g.privilege_type, n.nspname, c.relname,
                                CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END,
                                CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' END)
                  FROM aclexplode(c.relacl) g WHERE g.grantee <> c.relowner ORDER BY 1)
         || ARRAY(SELECT format('GRANT %s (%I) ON %I.%I TO %s%s', g.privilege_type, a.attname, n.nspname, c.relname,
                                CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END,
                                CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' END)
                  FROM pg_attribute a CROSS JOIN LATERAL aclexplode(a.attacl) g WHERE a.attrelid = c.oid ORDER BY 1)
         || ARRAY(SELECT format('COMMENT ON %s %I.%I IS %L', CASE c.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END,
                                n.nspname, c.relname, d.description)
                  FROM pg_description d WHERE d.classoid = 'pg_class'::regclass AND d.objoid = c.oid AND d.objsubid = 0)
         || ARRAY(SELECT format('COMMENT ON COLUMN %I.%I.%I IS %L', n.nspname, c.relname, a.attname, d.description)
                  FROM pg_description d JOIN pg_attribute a ON a.attrelid = d.objoid AND a.attnum = d.objsubid
                  WHERE d.classoid = 'pg_class'::regclass AND d.objoid = c.oid AND d.objsubid > 0) AS create
  FROM ordered o
  JOIN pg_class c ON c.oid = o.oid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  ORDER BY o.depth, 1`;

const others = `${closure},
  other AS (
    SELECT d.classid, d.objid, d.objsubid,
           CASE d.classid
             WHEN 'pg_class'::regclass THEN (SELECT relnamespace FROM pg_class WHERE oid = d.objid)
             WHEN 'pg_proc'::regclass THEN (SELECT pronamespace FROM pg_proc WHERE oid = d.objid)
             WHEN 'pg_type'::regclass THEN (SELECT typnamespace FROM pg_type WHERE oid = d.objid)
             WHEN 'pg_constraint'::regclass THEN (SELECT connamespace FROM pg_constraint WHERE oid = d.objid)
             WHEN 'pg_trigger'::regclass THEN
               (SELECT c.relnamespace FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE t.oid = d.objid)
             WHEN 'pg_attrdef'::regclass THEN
               (SELECT c.relnamespace FROM pg_attrdef f JOIN pg_class c ON c.oid = f.adrelid WHERE f.oid = d.objid)
             WHEN 'pg_policy'::regclass THEN
               (SELECT c.relnamespace FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid WHERE p.oid = d.objid)
             WHEN 'pg_statistic_ext'::regclass THEN (SELECT stxnamespace FROM pg_statistic_ext WHERE oid = d.objid)
             WHEN 'pg_rewrite'::regclass THEN $1::regnamespace
           END AS schema
    FROM own o
    JOIN pg_depend d ON d.refclassid = o.class AND d.refobjid = o.oid
    WHERE d.deptype NOT IN ('i', 'e', 'P', 'S'))
  SELECT DISTINCT pg_describe_object(classid, objid, objsubid) AS what FROM other
  WHERE schema IS DISTINCT FROM $1::regnamespace AND schema IS DISTINCT FROM 'pg_toast'::regnamespace ORDER BY 1`;

/** What rests on a schema from outside. To be asked while the schema has the name that it is to have for them. */
export async function dependentsOf(client: pg.ClientBase, schema: string): Promise<Dependents> {
  const { rows: settings } = await client.query<{ path: string }>(`SELECT current_setting('search_path') AS path`);
  await client.query(`SELECT set_config('search_path', '', true)`);
  const found = z.array(view).parse((await client.query(views, [schema])).rows);
  const { rows } = await client.query<{ what: string }>(others, [schema]);
  await client.query(`SELECT set_config('search_path', $1, true)`, [settings[0]?.path]);
  return {
    views: found.filter(({ inside }) => !inside),
    others: [
      ...rows.map(({ what }) => what),
      // It would be made before that on which it rests.
      ...found.filter(({ inside }) => inside).map(({ name, kind }) => `${kind} ${name}, by way of another schema`),
    ],
  };
}

/** Drops them, and makes them anew on whatever has the name of the schema now. */
export async function rebind(client: pg.ClientBase, { views: bound }: Pick<Dependents, 'views'>): Promise<void> {
  for (const { kind, name } of bound.toReversed()) await client.query(`DROP ${kind} ${name}`);
  await client.query(`SELECT set_config('search_path', '', true)`);
  for (const { create } of bound) {
    for (const sql of create) await client.query(sql);
  }
  await client.query(`SET LOCAL search_path TO DEFAULT`);
}
