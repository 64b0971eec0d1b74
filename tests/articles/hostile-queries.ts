/** Two hundred queries that a search must survive. */
export function hostileQueries(): string[] {
  const parts = [
    '&',
    '|',
    '!',
    '(',
    ')',
    ':*',
    '<->',
    '"',
    "'",
    '\\',
    '-',
    '--',
    'or',
    'OR OR',
    '\0',
    '\u0001',
    '\u0003',
  ];
  const more = [
    '😀',
    '👩‍👩‍👧',
    '\ud800',
    '\udfff',
    '東',
    '東京',
    'é',
    'e\u0301\u0301',
    '%',
    '_',
    '$1',
    '#{x}',
    '\n',
    '\u2028',
    '<mark>',
    '*',
    ':A',
    "''",
    '{}',
    '::tsquery',
  ];
  const all = [...parts, ...more];
  const long = [...all, 'word ', 'or ', '"a" ', '-a ', 'a-b-c ', 'a&b'].map((part) =>
    part.repeat(10_000 / part.length),
  );
  const mixed = all.flatMap((one, index) => [
    `some${one}thing`,
    `${one}"${all[(index * 7) % all.length]} something`,
    `something -${one}${all[(index * 5) % all.length]}`,
  ]);
  return ['', ' ', ...all, ...long, ...mixed, 'a'.repeat(10_000), `"${'b '.repeat(5000)}`].slice(0, 200);
}
