import { cpSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build, type Plugin } from 'vite';

/** Builds the browser SDK into a folder: `okla.js` for a script tag and `okla.mjs` as a module. Answers their code by name. */
export async function buildSdk(root: string, target: string, write = true): Promise<Record<string, string>> {
  const code: Record<string, string> = {};
  for (const [entry, format, fileName] of [
    ['script.ts', 'iife', 'okla.js'],
    ['start.ts', 'es', 'okla.mjs'],
  ] as const) {
    const output = await build({
      root,
      configFile: false,
      publicDir: false,
      logLevel: 'warn',
      build: {
        outDir: target,
        emptyOutDir: false,
        write,
        target: 'es2022',
        minify: true,
        rolldownOptions: { output: { minify: true } },
        lib: { entry: join(root, 'sdk', entry), formats: [format], name: 'oklaSdk', fileName: () => fileName },
      },
    });
    const [first] = Array.isArray(output) ? output : [output];
    if (first !== undefined && 'output' in first) code[fileName] = first.output[0].code;
  }
  return code;
}

/** Puts the SDK, its types and the client for servers into `sdk/` of the build. */
export function browserSdk(): Plugin {
  let root = '';
  let target = '';
  return {
    name: 'okla-browser-sdk',
    apply: 'build',
    configResolved(config) {
      root = config.root;
      target = resolve(config.root, config.build.outDir, 'sdk');
    },
    async closeBundle() {
      await buildSdk(root, target);
      cpSync(join(root, 'sdk/okla.d.ts'), join(target, 'okla.d.ts'));
      for (const client of ['OklaClient.cs', 'OklaModels.cs']) {
        cpSync(join(root, '../Sdk', client), join(target, client));
      }
    },
  };
}
