import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { DCLinter } from 'dclint';
import { validate } from 'dockerfile-utils';
import { Deployment } from 'kubernetes-models/apps/v1';
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2';
import { Job } from 'kubernetes-models/batch/v1';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { Namespace, Secret, Service } from 'kubernetes-models/v1';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { readDatabaseEnvironment, readEnvironment } from '../src/environment.ts';
import { shutdownTimeout } from '../src/server/graceful-shutdown.ts';
import { START } from './support/start-command.ts';
import { address } from './support/test-server.ts';

/** The Dockerfile, compose.yml and the Kubernetes manifests, checked without Docker or a cluster. */

const read = (file: string) => readFileSync(file, 'utf8');

describe('the Dockerfile', () => {
  const dockerfile = read('Dockerfile');
  const [, image] = /^FROM (gcr\.io\S+)$/m.exec(dockerfile) ?? [];

  test('passes the linter', () => {
    expect(validate(dockerfile)).toEqual([]);
  });

  test('copies only files that exist and that .dockerignore allows', () => {
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, files = '']) =>
      files.split(' '),
    );
    const allowed = [...read('.dockerignore').matchAll(/^!(.*)$/gm)].map(([, path]) => path);
    expect(copied.filter((path) => !existsSync(path))).toEqual([]);
    expect(new Set(copied.map((path) => path.split('/')[0]))).toEqual(new Set(allowed));
    expect(read('.dockerignore')).toMatch(/^\*$/m);
  });

  test('starts scripts of the build', () => {
    const scripts = [...dockerfile.matchAll(/dist\/(src\/\w+)\.js/g)].map(([, script]) => script);
    expect(scripts.toSorted()).toEqual(['src/main', 'src/migrate']);
    for (const script of scripts) expect(existsSync(`${script}.ts`), script).toBe(true);
  });

  test('starts the server with the command of `npm start`', () => {
    const [, command = ''] = /^CMD (.*main\.js"\])$/m.exec(dockerfile) ?? [];
    expect(JSON.parse(command)).toEqual(START);
  });

  test('runs as an unprivileged user, with the Node version of the tests', () => {
    const [major] = JSON.parse(read('package.json')).devDependencies.node.split('.');
    expect(image).toBe(`gcr.io/distroless/nodejs${major}-debian13:nonroot`);
    expect(dockerfile).toMatch(/^USER 65532:65532$/m);
    for (const [, base] of dockerfile.matchAll(/^FROM node:(\d+)/gm)) expect(base).toBe(major);
  });

  test('checks the health of the port that it exposes, without starting a Node', async () => {
    const [, port] = /^EXPOSE (\d+)$/m.exec(dockerfile) ?? [];
    const [, command = ''] = /^HEALTHCHECK[^[]*(\[.*\])$/m.exec(dockerfile) ?? [];
    const [program, ...parameters] = JSON.parse(command);
    expect(dockerfile).toMatch(new RegExp(`^COPY --from=busybox:[\\d.]+-musl /bin/wget ${program}$`, 'm'));
    expect(dockerfile).toMatch(new RegExp(`^ +PORT=${port} `, 'm'));
    const { origin, pathname } = new URL(parameters.pop());
    expect(origin).toBe(`http://127.0.0.1:${port}`);
    expect((await fetch(`${address}${pathname}`)).status).toBe(200);
  });
});

describe('compose.yml', () => {
  const { services } = parse(read('compose.yml'), { merge: true });
  const filled = (value: string, variables: NodeJS.Dict<string>) =>
    value.replace(/\$\{(\w+)(?::-([^}]*)|:\?[^}]*)?\}/g, (_, name, preset = '') => variables[name] || preset);
  /** The environment of a service, if .env is .env.example with these values. */
  const environmentOf = (service: string, mine: NodeJS.Dict<string>) => {
    const file = { ...parseEnv(read('.env.example')), ...mine };
    const own = Object.entries(services[service].environment as Record<string, string>);
    return { ...file, ...Object.fromEntries(own.map(([name, value]) => [name, filled(value, file)])) };
  };
  const mine = { DB_PASS: 'secret', DB_NAME: 'blog', SECRET_KEY: 'k'.repeat(32), CORS_ORIGINS: 'https://blog.example' };

  test('passes the linter', () => {
    const rules = {
      'service-keys-order': 0,
      'services-alphabetical-order': 0,
      // Two services share one image, which is built here and needs no tag.
      'no-build-and-image': 0,
      'service-image-require-explicit-tag': 0,
    } as const;
    const linter = new DCLinter({ rules, quiet: true, debug: false, exclude: [] });
    const [result] = linter.lintFiles(['compose.yml'], false) as { messages: { type: string }[] }[];
    expect(result?.messages.filter(({ type }) => type === 'error')).toEqual([]);
  });

  test('passes the settings of .env on, except the addresses inside the container', () => {
    expect(readEnvironment(environmentOf('server', mine))).toMatchObject({
      production: true,
      host: '0.0.0.0',
      port: 4000,
      postgres: {
        hosts: [{ host: 'postgres', port: 5432 }],
        user: 'postgres',
        password: 'secret',
        database: 'blog',
      },
      allowedOrigins: ['https://blog.example'],
      migrateOnStart: 'check',
    });
    const { postgres } = readEnvironment(environmentOf('server', mine));
    expect(readDatabaseEnvironment(environmentOf('migrate', mine)).postgres).toEqual(postgres);
    expect(environmentOf('postgres', mine)).toMatchObject({ POSTGRES_DB: 'blog', POSTGRES_PASSWORD: 'secret' });
  });

  test('requires the two secrets', () => {
    expect(services.postgres.environment.POSTGRES_PASSWORD).toMatch(/^\$\{DB_PASS:\?/);
    expect(services.server.environment.SECRET_KEY).toMatch(/^\$\{SECRET_KEY:\?/);
  });

  test('starts the server after the migration, with enough time to shut down', () => {
    expect(services.migrate.depends_on).toEqual({ postgres: { condition: 'service_healthy' } });
    expect(services.server.depends_on).toEqual({ migrate: { condition: 'service_completed_successfully' } });
    const { shutdownDelaySeconds } = readEnvironment(environmentOf('server', mine));
    expect(Number.parseInt(services.server.stop_grace_period, 10)).toBeGreaterThanOrEqual(
      shutdownTimeout(shutdownDelaySeconds) / 1000,
    );
  });
});

describe('deploy/kubernetes', () => {
  const folder = 'deploy/kubernetes';
  const KNOWN = {
    Deployment,
    HorizontalPodAutoscaler,
    Job,
    Namespace,
    NetworkPolicy,
    PodDisruptionBudget,
    Secret,
    Service,
  };
  const files = readdirSync(folder);
  const objects = files
    .filter((file) => file !== 'kustomization.yaml')
    .flatMap((file) => parseAllDocuments(read(join(folder, file))).map((document) => document.toJS()));
  const the = (kind: string, name = '') =>
    objects.find((object) => object.kind === kind && (!name || object.metadata.name === name));
  const podOf = (kind: string) => the(kind).spec.template.spec;
  const [container] = podOf('Deployment').containers;

  test.each(objects.map((object) => [object.kind, object]))('%s is a valid Kubernetes object', (_, object) => {
    const Model = Object.entries(KNOWN).find(([kind]) => kind === object.kind)?.[1] as typeof Job;
    expect(() => new Model(object).validate()).not.toThrow();
  });

  test('applies every manifest except the example secret', () => {
    const { resources, images } = parse(read(join(folder, 'kustomization.yaml')));
    const others = files.filter((file) => !/^kustomization|example/.test(file));
    expect(resources.toSorted()).toEqual(others.toSorted());
    for (const kind of ['Deployment', 'Job']) expect(podOf(kind).containers[0].image).toBe(images[0].name);
  });

  test.each(['Deployment', 'Job'])('the pods of the %s meet the "restricted" Pod Security Standard', (kind) => {
    const { securityContext, containers, automountServiceAccountToken } = podOf(kind);
    expect(securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: 65532,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(automountServiceAccountToken).toBe(false);
    for (const { securityContext, resources } of containers) {
      expect(securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect(resources).toMatchObject({
        requests: { memory: expect.any(String) },
        limits: { memory: expect.any(String) },
      });
    }
  });

  test('the settings of the server are valid, with enough time to shut down', () => {
    const given = Object.fromEntries(
      container.env.map(({ name, value }: { name: string; value: string }) => [name, value]),
    );
    const secret = { ...the('Secret', 'conduit').stringData, SECRET_KEY: 'k'.repeat(32) };
    const settings = readEnvironment({ NODE_ENV: 'production', ...given, ...secret });
    expect(settings).toMatchObject({ migrateOnStart: 'check', metrics: { host: '0.0.0.0', port: 9090 } });
    expect(podOf('Deployment').terminationGracePeriodSeconds).toBeGreaterThanOrEqual(
      shutdownTimeout(settings.shutdownDelaySeconds) / 1000,
    );
    const { periodSeconds, failureThreshold } = container.readinessProbe;
    expect(periodSeconds * failureThreshold).toBeLessThan(settings.shutdownDelaySeconds);
  });

  test('the example secret has no valid key', () => {
    const { stringData } = the('Secret', 'conduit');
    expect(() => readEnvironment({ NODE_ENV: 'production', ...stringData })).toThrow(/SECRET_KEY is missing/);
  });

  test('the migration has a role, and a secret, of its own; both connections verify the database', () => {
    const roles = read('deploy/roles.sql');
    for (const [kind, name, role] of [
      ['Job', 'conduit-migration', 'conduit_owner'],
      ['Deployment', 'conduit', 'conduit_server'],
    ] as const) {
      const { postgres } = readDatabaseEnvironment(the('Secret', name).stringData);
      expect(postgres).toMatchObject({ user: role, hosts: [{ ssl: { rejectUnauthorized: true } }] });
      expect(roles).toContain(`create role ${role} login`);
      expect(JSON.stringify(podOf(kind).containers)).toContain(`"name":"${name}"`);
    }
    expect(JSON.stringify(podOf('Deployment'))).not.toContain('conduit-migration');
  });

  test('the addresses of clients behind the proxy are known, in compose.yml too', () => {
    const value = (list: { name: string; value: string }[]) => list.find(({ name }) => name === 'TRUST_PROXY')?.value;
    expect(readEnvironment({ TRUST_PROXY: value(container.env) }).trustProxy).toEqual(['uniquelocal']);
    const { services } = parse(read('compose.yml'), { merge: true });
    expect(services.server.environment.TRUST_PROXY).toBe('$' + '{TRUST_PROXY:-uniquelocal}');
  });

  test('the autoscaler sets the number of servers, and a migration that hangs is stopped', () => {
    expect(the('HorizontalPodAutoscaler').spec.scaleTargetRef.name).toBe(the('Deployment').metadata.name);
    expect(the('Deployment').spec.replicas).toBeUndefined();
    expect(the('HorizontalPodAutoscaler').spec.minReplicas).toBeGreaterThan(
      the('PodDisruptionBudget').spec.minAvailable,
    );
    expect(the('Job').spec.activeDeadlineSeconds).toBeGreaterThan(0);
  });

  test('restarts only dead processes, and sends requests only to ready ones', () => {
    expect(container.livenessProbe.httpGet.path).toBe('/healthz');
    expect(container.readinessProbe.httpGet.path).toBe('/readyz');
  });

  test('the service, the disruption budget and the network policy select the servers, not the migration', () => {
    const { labels } = the('Deployment').spec.template.metadata;
    expect(the('Deployment').spec.selector.matchLabels).toEqual(labels);
    expect(the('Service').spec.selector).toEqual(labels);
    expect(the('PodDisruptionBudget').spec.selector.matchLabels).toEqual(labels);
    expect(the('NetworkPolicy').spec.podSelector.matchLabels).toEqual(labels);
    expect(the('Job').spec.template.metadata.labels).not.toEqual(labels);
  });
});
