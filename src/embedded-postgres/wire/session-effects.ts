/** What a statement may do to the session it runs in, as far as its text tells: PostgreSQL's answer does not. */
export interface Traits {
  /** It names an advisory lock function. */
  locks: boolean;
  /** It names one that does not wait: `pg_try_advisory_lock`. */
  triesLocks: boolean;
  /** It may change settings without a SET that PostgreSQL would report. */
  mayHaveSet: boolean;
  /** Settings of the client's own making, such as `app.tenant`: PostgreSQL lists them nowhere. */
  customSettings: string[];
  /** It may make what outlives its transaction and is no client's in particular: a temporary table, a held cursor. */
  leavesThings: boolean;
}

export const noTraits = (): Traits => ({
  locks: false,
  triesLocks: false,
  mayHaveSet: false,
  customSettings: [],
  leavesThings: false,
});

/** Nothing for the many statements that do none of this. */
export function traitsOf(sql: string): Traits | undefined {
  if (!WORTH_A_LOOK.test(sql)) return undefined;
  return {
    locks: /pg_\w*advisory/i.test(sql),
    triesLocks: /pg_try_advisory/i.test(sql),
    mayHaveSet: /set_config/i.test(sql),
    customSettings: [...sql.matchAll(CUSTOM_SETTING)].map(
      ([, name = '', quoted]) => quoted ?? name.replaceAll('"', ''),
    ),
    leavesThings: /\b(pg_temp|temp|temporary|with\s+hold|prepare|listen)\b/i.test(sql),
  };
}

export function addTraits(to: Traits, more: Traits): void {
  to.locks ||= more.locks;
  to.triesLocks ||= more.triesLocks;
  to.mayHaveSet ||= more.mayHaveSet;
  to.leavesThings ||= more.leavesThings;
  to.customSettings.push(...more.customSettings);
}

const WORTH_A_LOOK = /advisory|\bset\b|set_config|temp|\bhold\b|\bprepare\b|\blisten\b/i;
const CUSTOM_SETTING =
  /\bset\s+(?:session\s+|local\s+)?((?:"[^"]+"|[\w$]+)\.(?:"[^"]+"|[\w$]+))|set_config\s*\(\s*'([^']+\.[^']+)'/gi;
