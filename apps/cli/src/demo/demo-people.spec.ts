import { describe, expect, it } from '@jest/globals';
import { demoPeople, roleOf, siteOf } from './demo-people.js';

const demo = demoPeople();

describe('the demo data', () => {
  it('are the people, departments, stays and shifts of the source', () => {
    expect(demo.people).toHaveLength(290);
    expect(new Set(demo.people.map(({ username }) => username)).size).toBe(290);
    expect(demo.departments).toHaveLength(16);
    expect(demo.stays).toHaveLength(296);
    expect(demo.stays.filter(({ end_day }) => end_day === null)).toHaveLength(290);
    expect(demo.shifts.map(({ starts, ends }) => `${starts}-${ends}`)).toEqual([
      '07:00-15:00',
      '15:00-23:00',
      '23:00-07:00',
    ]);
  });

  it('keeps letters that are not ASCII', () => {
    expect(demo.people.filter(({ given_name, family_name }) => /[^ -~]/.test(given_name + family_name))).toHaveLength(
      4,
    );
  });

  it('holds nothing that must not leave the source', () => {
    const columns = new Set(demo.people.flatMap((person) => Object.keys(person)));
    expect([...columns]).toEqual(['employee_no', 'username', 'given_name', 'family_name', 'email', 'job_title']);
  });

  it('puts every department at a site', () => {
    const at = (site: string) => demo.departments.filter((one) => siteOf(one) === site).map(({ name }) => name);
    expect(at('AW-PLANT')).toEqual(['Production', 'Production Control', 'Document Control', 'Quality Assurance']);
    expect(at('AW-WAREHOUSE')).toEqual(['Purchasing', 'Shipping and Receiving']);
    expect(at('AW-OFFICE')).toHaveLength(10);
  });

  it.each([
    ['Chief Executive Officer', 'Executive', 'manager'],
    ['Assistant to the Chief Financial Officer', 'Executive', 'viewer'],
    ['Production Supervisor - WC60', 'Production', 'supervisor'],
    ['Production Technician - WC60', 'Production', 'operator'],
    ['Master Scheduler', 'Production Control', 'planner'],
    ['Quality Assurance Technician', 'Quality Assurance', 'qc'],
    ['Shipping and Receiving Clerk', 'Shipping and Receiving', 'warehouse'],
    ['Accountant', 'Finance', 'finance'],
    ['Recruiter', 'Human Resources', 'viewer'],
  ])('makes a %s in %s a %s', (title, name, role) => {
    expect(roleOf(title, { id: '1', name, group: '' })).toBe(role);
  });
});
