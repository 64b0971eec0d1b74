/** What a statement may do to its session, as far as its text shows; PostgreSQL's response does not show it. */
export interface SessionEffects {
  /** It names an advisory lock function. */
  usesLocks: boolean;
  /** It names a lock function that does not wait, such as `pg_try_advisory_lock`. */
  triesLocks: boolean;
  /** It may change settings without a SET that PostgreSQL would report. */
  maySetConfig: boolean;
  /** Custom settings it names, such as `app.tenant`, which pg_settings does not list. */
  customSettings: string[];
  /** It may create what outlives its transaction and no client owns: a temporary table, a cursor with hold. */
  createsSessionObjects: boolean;
}

export const noEffects = (): SessionEffects => ({
  usesLocks: false,
  triesLocks: false,
  maySetConfig: false,
  customSettings: [],
  createsSessionObjects: false,
});

/** Undefined for most statements, which have none of these effects. */
export function sessionEffectsOf(sql: string): SessionEffects | undefined {
  if (!MAY_HAVE_EFFECTS.test(sql)) return undefined;
  return {
    usesLocks: /pg_\w*advisory/i.test(sql),
    triesLocks: /pg_try_advisory/i.test(sql),
    maySetConfig: /set_config/i.test(sql),
    customSettings: [...sql.matchAll(CUSTOM_SETTING)].map(
      ([, name = '', quoted]) => quoted ?? name.replaceAll('"', ''),
    ),
    createsSessionObjects: /\b(pg_temp|temp|temporary|with\s+hold|prepare|listen)\b/i.test(sql),
  };
}

export function addEffects(to: SessionEffects, more: SessionEffects): void {
  to.usesLocks ||= more.usesLocks;
  to.triesLocks ||= more.triesLocks;
  to.maySetConfig ||= more.maySetConfig;
  to.createsSessionObjects ||= more.createsSessionObjects;
  to.customSettings.push(...more.customSettings);
}

const MAY_HAVE_EFFECTS = /advisory|\bset\b|set_config|temp|\bhold\b|\bprepare\b|\blisten\b/i;
const CUSTOM_SETTING =
  /\bset\s+(?:session\s+|local\s+)?((?:"[^"]+"|[\w$]+)\.(?:"[^"]+"|[\w$]+))|set_config\s*\(\s*'([^']+\.[^']+)'/gi;
