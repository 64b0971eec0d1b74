/**
 * Adds to the startup message of a connection the settings that statements and the parsing of their results depend on, so
 * that none is taken from `alter database … set`, `alter role … set` or postgresql.conf. They are part of the startup
 * message because a pooler in transaction mode does not keep what a later `set` changes.
 */
export const withSessionSettings = (startup: StartupMessage): StartupMessage => ({
  ...startup,
  ...FORMATS,
  // The last value of a name counts, so that the options of a URL may name another search_path.
  options: [OPTIONS, startup.options].filter(Boolean).join(' '),
});

export interface StartupMessage {
  readonly options?: string;
  readonly [setting: string]: string | undefined;
}

/** PgBouncer keeps track of these, also before 1.20, which refuses any other. client_encoding belongs to them; pg sets it to UTF8. */
const FORMATS = {
  DateStyle: 'ISO, MDY',
  TimeZone: 'UTC',
  standard_conforming_strings: 'on',
};

const OPTIONS = Object.entries({
  // Prepared reads are planned once. Left to itself, PostgreSQL would plan some each time, which takes longer than they run.
  plan_cache_mode: 'force_generic_plan',
  search_path: 'public',
  IntervalStyle: 'postgres',
  bytea_output: 'hex',
  extra_float_digits: '1',
  lc_monetary: 'C',
  lc_numeric: 'C',
  lc_time: 'C',
  default_transaction_isolation: 'read\\ committed',
  default_transaction_deferrable: 'off',
  idle_session_timeout: '0',
  array_nulls: 'on',
  transform_null_equals: 'off',
  quote_all_identifiers: 'off',
})
  .map(([name, value]) => `-c ${name}=${value}`)
  .join(' ');
