import { expect, test } from 'vitest';
import type * as face from './okla';
import * as sdk from './start';

test('The module has what its types say', () => {
  const same: typeof face = sdk;
  expect(Object.keys(same)).toEqual(['start']);
});
