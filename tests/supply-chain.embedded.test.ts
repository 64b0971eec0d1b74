import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

/** Checks package-lock.json, without the network. */

interface Locked {
  readonly version: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly os?: string[];
}

const json = (file: string) => JSON.parse(readFileSync(file, 'utf8'));
const manifest = json('package.json');
const lockedIn = (folder: string) =>
  Object.entries(json(`${folder}/package-lock.json`).packages as Record<string, Locked & { name?: string }>)
    .filter(([path]) => path !== '')
    .map(([path, entry]) => ({ path, ...entry, name: entry.name ?? path.replace(/^.*node_modules\//, '') }));
const locked = lockedIn('.');
const inProduction = locked.filter(({ dev }) => !dev);
const id = ({ name, version }: { name: string; version: string }) => `${name}@${version}`;

const FOLDERS = ['.', 'tests/rigs/clients', 'tests/clients/frontend', 'tests/rigs/bench/peers'];

test.each(FOLDERS)('every package of %s comes from the registry, with a checksum', (folder) => {
  for (const { path, integrity, resolved, link, dev, optional, os } of lockedIn(folder)) {
    expect(link, path).toBeUndefined();
    expect(resolved ?? 'https://registry.npmjs.org/', path).toMatch(/^https:\/\/registry\.npmjs\.org\//);
    // npm may lock only the version of an optional binary for another platform.
    if (!(dev && optional && os)) expect(integrity, path).toMatch(/^sha512-/);
  }
});

test.each(FOLDERS)('%s requires exact versions', (folder) => {
  const { dependencies, devDependencies } = json(`${folder}/package.json`);
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
    expect(version, name).toMatch(/^\d+\.\d+\.\d+(-[\w.]+)?$/);
  }
});

test('allowScripts lists exactly the packages with an install script', () => {
  const scripted = locked.filter(({ hasInstallScript }) => hasInstallScript).map(({ name }) => name);
  expect(Object.keys(manifest.allowScripts).toSorted()).toEqual(scripted.toSorted());
  expect(readFileSync('.npmrc', 'utf8')).toMatch(/^strict-allow-scripts=true$/m);
});

test.each(['overrides', 'allowScripts'])('docs/operations.md explains each entry of %s', (key) => {
  const [, table = ''] = readFileSync('docs/operations.md', 'utf8').split(`| \`${key}\` of package.json`);
  const [rows = ''] = table.split('\n\n');
  const named = [...rows.matchAll(/^\| (`[^|]+)/gm)].flatMap(([, cell = '']) => cell.match(/[^`, ]+/g) ?? []);
  expect(named.toSorted()).toEqual(Object.keys(manifest[key]).toSorted());
});

test('the number of production packages does not grow', () => {
  expect(new Set(inProduction.map(id)).size).toBeLessThanOrEqual(MOST_PACKAGES);
});

/** Distinct name and version of what `npm ci --omit=dev` installs. Raise it only for a package that earns its place. */
const MOST_PACKAGES = 165;

test('the bill of materials lists exactly the production packages', async () => {
  const { stdout } = await promisify(execFile)('npm', ['run', '--silent', 'sbom'], { maxBuffer: 10_000_000 });
  const { metadata, components } = JSON.parse(stdout) as {
    metadata: { component: { name: string } };
    components: { purl: string; hashes?: unknown[]; licenses?: unknown[] }[];
  };
  expect(metadata.component.name).toBe(manifest.name);
  const named = components.map(({ purl }) => decodeURIComponent(purl.slice('pkg:npm/'.length)));
  const optionalPeers = ['dataloader']; // installed only as a development dependency
  const expected = new Set(inProduction.filter(({ name }) => !optionalPeers.includes(name)).map(id));
  expect(named.toSorted()).toEqual([...expected].toSorted());
  for (const { purl, hashes, licenses } of components) expect([hashes?.length, licenses?.length], purl).toEqual([1, 1]);
});

/** The first safe version of each major version, and the vulnerability of the versions before it. */
const SAFE: readonly [name: RegExp, safe: readonly string[], advisory: string][] = [
  [/^@apollo\/server$/, ['5.5.0'], 'CVE-2026-23897 and GHSA-9q82-xgwf-vj6h: charsets, CSRF by GET'],
  [/^graphql$/, ['16.15.0'], 'CVE-2023-26144 and its like: validating overlapping fields takes minutes'],
  [/^@mikro-orm\//, ['7.0.6'], 'CVE-2026-34220 and CVE-2026-34221: SQL injection, prototype pollution'],
  [/^kysely$/, ['0.29.7'], 'kysely#1990: connections that are lost with the database never leave the pool'],
  [/^jsonwebtoken$/, ['9.0.0'], 'CVE-2022-23539, CVE-2022-23540, CVE-2022-23541: keys and algorithms'],
  [/^jws$/, ['3.2.3', '4.0.1'], 'CVE-2025-65945: signatures that are not checked'],
  [/^fastify$/, ['5.8.3'], 'CVE-2025-32442, CVE-2026-25223, CVE-2026-3635: validation bypassed, addresses spoofed'],
  [/^find-my-way$/, ['8.2.2', '9.0.1'], 'CVE-2024-45813: slow regular expression'],
  [/^fast-uri$/, ['3.1.3', '4.0.1'], 'CVE-2026-6321, CVE-2026-6322, CVE-2026-13676: paths and hosts confused'],
  [/^ajv$/, ['6.14.0', '8.18.0'], 'CVE-2025-69873: slow regular expression'],
  [/^cookie$/, ['0.7.0'], 'CVE-2024-47764: fields injected'],
  [/^semver$/, ['5.7.2', '6.3.1', '7.5.2'], 'CVE-2022-25883: slow regular expression'],
  [/^node$/, ['22.22.0', '24.13.0'], 'CVE-2025-59466: a deep stack ends the process'],
  [/^ws$/, ['7.5.10', '8.17.1'], 'CVE-2024-37890: headers end the process'],
  [/^form-data$/, ['2.5.4', '3.0.4', '4.0.4'], 'CVE-2025-7783: boundaries can be guessed'],
  [/^js-yaml$/, ['3.14.2', '4.1.1'], 'CVE-2025-64718: prototype pollution'],
  [/^braces$/, ['3.0.3'], 'CVE-2024-4068: memory'],
  [/^micromatch$/, ['4.0.8'], 'CVE-2024-4067: slow regular expression'],
  [/^nanoid$/, ['3.3.8', '5.0.9'], 'CVE-2024-55565: ids can be guessed'],
];

test.each(SAFE)('no %s is vulnerable', (name, safe) => {
  const versions = locked.filter((each) => name.test(each.name)).map(({ version }) => version);
  expect(versions, `${name} is no longer installed; remove its row in SAFE`).not.toEqual([]);
  expect(versions.filter((version) => !isSafe(version, safe))).toEqual([]);
});

test('a version is safe from the fix of its major version on, and in every later major version', () => {
  const verdicts = ['3.2.2', '3.2.3', '3.10.0', '4.0.0', '4.0.1', '5.0.0', '2.9.9', '4.0.1-rc.1'].map((version) =>
    isSafe(version, ['3.2.3', '4.0.1']),
  );
  expect(verdicts).toEqual([false, true, true, false, true, true, false, false]);
});

function isSafe(version: string, safe: readonly string[]): boolean {
  const fix = safe.find((each) => major(each) === major(version));
  if (fix === undefined) return safe.every((each) => major(each) < major(version));
  return version.split('-')[0] === fix ? !version.includes('-') : isLater(version, fix);
}

const isLater = (a: string, b: string) => a.localeCompare(b, 'en', { numeric: true }) > 0;
const major = (version: string) => Number(version.split('.')[0]);
