import { describe, expect, it } from 'vitest';
import { P2mError } from '../../events/index.js';
import { formByKernel, FORMS } from '../../src/index.js';

describe('FORMS', () => {
  it('has two forms with the tree', () => {
    expect(FORMS.filter((form) => form.structure === 'tree').map((form) => form.name)).toEqual(['3.16', '3.18']);
  });
});

describe('formByKernel', () => {
  it.each([
    ['3.16.0', '3.16'],
    ['3.17', '3.16'],
    ['3.18.140', '3.18'],
    ['7of8', '7of8'],
    ['3.19-rc5', '3.19-rc1'],
    ['3.19.0', '3.19'],
    ['4.2.8', '4.0'],
    ['6.1', '5.17'],
    ['6.1.0-56-amd64', '5.17'],
    ['6.12.117+deb12-amd64', '5.17'],
    ['6.19.9', '6.13'],
    ['7.4', '7.0'],
  ])('%s runs the newest form that is not newer, %s', (kernel, form) => {
    expect(formByKernel(kernel).name).toBe(form);
  });

  it.each(['3.15', 'v4', '', 'latest', '6'])('refuses %j, and says what there is', (kernel) => {
    expect(() => formByKernel(kernel)).toThrow(P2mError);
    expect(() => formByKernel(kernel)).toThrow(/unknown kernel form: got .*, want a kernel version from 3\.16 on/);
  });
});
