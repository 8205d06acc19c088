// @vitest-environment node
import { resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { buildSdk } from '../build/browserSdk';

const web = resolve(import.meta.dirname, '..');

test('The SDK is under 5 KB gzipped, as a script and as a module, and needs nothing else', { timeout: 60_000 }, async () => {
  const code = await buildSdk(web, resolve(web, 'nowhere'), false);
  expect(Object.keys(code)).toEqual(['okla.js', 'okla.mjs']);
  for (const text of Object.values(code)) {
    expect(gzipSync(text, { level: 9 }).length).toBeLessThan(5000);
    expect(text).not.toMatch(/\bimport\b[\s{*"']/);
  }
});
