import { enableCompileCache } from 'node:module';

// Enabled before anything else is loaded, so that the next start compiles none of it again.
enableCompileCache();
await import('./start.ts');
