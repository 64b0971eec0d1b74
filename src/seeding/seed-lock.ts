import { type Kysely, sql } from 'kysely';

/** Until the transaction ends, another seed on the same database waits: what it adds depends on what is there. */
export const oneSeedAtATime = (db: Kysely<unknown>) => sql`select pg_advisory_xact_lock(${LOCK}::bigint)`.execute(db);

const LOCK = 7_333_001; // any number that nobody else takes
