import { cpSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Plugin } from 'vite';

/** Puts the API reference into `docs/` of the build: Swagger UI's files beside our own page, nothing from elsewhere. */
export function apiReference(): Plugin {
  let root = '';
  let target = '';
  return {
    name: 'okla-api-reference',
    apply: 'build',
    configResolved(config) {
      root = config.root;
      target = resolve(config.root, config.build.outDir, 'docs');
    },
    closeBundle() {
      mkdirSync(target, { recursive: true });
      cpSync(join(root, 'docs'), target, { recursive: true });
      for (const file of ['swagger-ui.css', 'swagger-ui-bundle.js', 'LICENSE', 'NOTICE']) {
        cpSync(join(root, 'node_modules/swagger-ui-dist', file), join(target, file));
      }
    },
  };
}
