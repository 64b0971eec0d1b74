import { MikroORM } from '@mikro-orm/core';
import { applyPendingMigrations, pendingMigrations } from '../../../src/migration-safety/index.ts';
import config from './mikro-orm.config.ts';

// What a server does before it listens.
const orm = await MikroORM.init(config as never);
if (process.env.MIGRATE_ON_START === 'up') console.log(`applied ${(await applyPendingMigrations(orm)).length}`);
else console.log((await pendingMigrations(orm)).join('\n') || 'nothing is in the way');
await orm.close();
console.log('ready');
