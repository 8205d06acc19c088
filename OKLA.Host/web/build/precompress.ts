import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import type { Plugin } from 'vite';

/** Writes `.br` and `.gz` beside every text file of the build, so that the host only hands bytes out. */
export function precompress(): Plugin {
  let target = '';
  return {
    name: 'okla-precompress',
    apply: 'build',
    enforce: 'post',
    configResolved(config) {
      target = resolve(config.root, config.build.outDir);
    },
    closeBundle: {
      order: 'post',
      sequential: true,
      handler() {
        for (const name of readdirSync(target, { recursive: true, encoding: 'utf8' })) {
          if (!/\.(m?js|css|html|svg|json)$/.test(name)) continue;
          const path = resolve(target, name);
          const bytes = readFileSync(path);
          // Below one packet there is nothing to win.
          if (bytes.length < 1400) continue;
          writeFileSync(`${path}.br`, brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 10 } }));
          writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
        }
      },
    },
  };
}
