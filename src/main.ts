import { enableCompileCache } from 'node:module';

// Before anything else is loaded: the next start need not compile it again.
enableCompileCache();
await import('./start.ts');
