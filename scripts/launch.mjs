#!/usr/bin/env node
// The command: makes a checkout ready first, and starts the compiled command line.
import { existsSync } from 'node:fs';

// An installed package holds neither sources nor the bootstrap: it was built when it was packed.
if (existsSync(new URL('./bootstrap.mjs', import.meta.url))) {
  const { bootstrap } = await import('./bootstrap.mjs');
  const failures = await bootstrap();
  for (const failure of failures) console.error(`sparecore: ${failure}`);
  if (failures.length > 0) process.exit(1);
}
await import('../build/js/scripts/sparecore.js');
