import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';
import { apiReference } from './build/apiReference.ts';
import { browserSdk } from './build/browserSdk.ts';
import { precompress } from './build/precompress.ts';

/** The host that `npm run dev` hands requests to. */
const host = process.env.OKLA_HOST ?? 'http://127.0.0.1:5000';

export default defineConfig({
  base: '/',
  plugins: [react(), tailwindcss(), apiReference(), browserSdk(), precompress()],
  build: {
    outDir: '../wwwroot',
    emptyOutDir: true,
    // A file inlined as data: would need a wider content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: Object.fromEntries(['/api', '/openapi', '/health'].map((path) => [path, host])),
  },
  test: {
    environment: 'jsdom',
    include: ['{src,sdk}/**/*.test.{ts,tsx}'],
    restoreMocks: true,
  },
});
