import { existsSync, readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import { z } from 'zod';

const person = z.object({
  employee_no: z.string(),
  username: z.string(),
  given_name: z.string(),
  family_name: z.string(),
  email: z.string(),
  job_title: z.string(),
});
const department = z.object({ id: z.string(), name: z.string(), group: z.string() });
const stay = z.object({
  employee_no: z.string(),
  department_id: z.string(),
  start_day: z.iso.date(),
  end_day: z.union([z.iso.date(), z.literal('').transform(() => null)]),
});
const shift = z.object({ code: z.string(), starts: z.string(), ends: z.string() });

type DemoPerson = z.infer<typeof person>;
export type DemoDepartment = z.infer<typeof department>;

export interface DemoPeople {
  readonly people: readonly DemoPerson[];
  readonly departments: readonly DemoDepartment[];
  /** Every stay of a person in a department; without an end it goes on. */
  readonly stays: readonly z.infer<typeof stay>[];
  readonly shifts: readonly z.infer<typeof shift>[];
}

export function demoPeople(): DemoPeople {
  return {
    people: read('people.csv', person),
    departments: read('departments.csv', department),
    stays: read('department-history.csv', stay),
    shifts: read('shifts.csv', shift),
  };
}

export const demoSites = [
  { code: 'AW-PLANT', name: 'Bothell plant', kind: 'plant' },
  { code: 'AW-WAREHOUSE', name: 'Bothell warehouse', kind: 'warehouse' },
  { code: 'AW-OFFICE', name: 'Bothell office', kind: 'office' },
] as const;
export type DemoSite = (typeof demoSites)[number]['code'];

export function siteOf({ group }: DemoDepartment): DemoSite {
  if (group === 'Manufacturing' || group === 'Quality Assurance') return 'AW-PLANT';
  return group === 'Inventory Management' ? 'AW-WAREHOUSE' : 'AW-OFFICE';
}

/** The role that a job title brings in Belay, at the site of the department. */
export function roleOf(jobTitle: string, { name }: DemoDepartment): string {
  if (/Manager|Vice President|Chief/.test(jobTitle) && !jobTitle.includes('Assistant')) return 'manager';
  if (jobTitle.includes('Supervisor')) return 'supervisor';
  if (name === 'Production Control') return 'planner';
  if (name === 'Production') return 'operator';
  if (name === 'Quality Assurance') return 'qc';
  if (name === 'Shipping and Receiving') return 'warehouse';
  return name === 'Finance' ? 'finance' : 'viewer';
}

/** The part that somebody with the role plays in the team. */
export function partOf(role: string): string {
  if (role === 'manager') return 'lead';
  return role === 'supervisor' || role === 'qc' ? role : 'member';
}

// Beside the source, or beside what the build made of it.
const folders = ['../../demo/', '../../../../../apps/cli/demo/'].map((path) => new URL(path, import.meta.url));

function read<Row>(file: string, row: z.ZodType<Row>): Row[] {
  const folder = folders.find((one) => existsSync(new URL(file, one)));
  if (!folder) throw new Error(`The demo data ${file} is not beside the program.`);
  return z.array(row).parse(parse(readFileSync(new URL(file, folder)), { columns: true }));
}
