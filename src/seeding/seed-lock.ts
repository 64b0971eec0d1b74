import { type Kysely, sql } from 'kysely';

/** Blocks other seeds of the database until the transaction ends, since what they add depends on the existing rows. */
export const takeSeedLock = (db: Kysely<unknown>) => sql`select pg_advisory_xact_lock(${LOCK}::bigint)`.execute(db);

const LOCK = 7_333_001; // an arbitrary key
