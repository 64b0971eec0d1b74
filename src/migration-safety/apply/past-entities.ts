import {
  ChangeSetType,
  type Configuration,
  type EntityManager,
  type EntityMetadata,
  type EntityProperty,
  EntitySchema,
  type EventSubscriber,
  type FlushEventArgs,
  type MetadataStorage,
  MikroORM,
  type Options,
  type Platform,
  type Transaction,
} from '@mikro-orm/core';
import type { Migration } from '@mikro-orm/migrations';
import type { AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';
import type { RenameAnswers } from '../renames/renames.ts';
import type { Execute } from '../sql/execute.ts';
import type { Statement } from '../sql/statements.ts';
import { PastTables } from './past-columns.ts';
import { PastMetadata } from './past-metadata.ts';

interface Replay {
  migration: { name: string };
  later: readonly Statement[];
  renames: RenameAnswers;
  log: (text: string) => void;
}

/** The entity manager of a migration, which knows the tables as they are when it is asked for. */
export class MigrationEntities {
  areUsed = false;

  constructor(
    private readonly driver: AbstractSqlDriver,
    private readonly config: Configuration,
    private readonly migration: Migration,
    private readonly run: Replay,
  ) {}

  /** To be called again after each statement that changes tables. */
  async readTables(execute: Execute): Promise<void> {
    const { later, renames } = this.run;
    const tables = await PastTables.read(execute, later, renames);
    let entityManager: SqlEntityManager | undefined;
    this.migration.getEntityManager = () => {
      this.areUsed = true;
      entityManager ??= this.createEntityManager(tables);
      return entityManager;
    };
  }

  release(): void {
    if (this.areUsed) bindEntities(this.driver);
  }

  private createEntityManager(tables: PastTables): SqlEntityManager {
    const log = (text: string) => this.run.log(`${this.run.migration.name}: ${text}`);
    const entityManager = driverOfThePast(
      this.driver,
      this.config,
      tables,
      log,
    ).createEntityManager() as SqlEntityManager;
    entityManager.setTransactionContext((this.migration as unknown as { ctx: Transaction }).ctx);
    return entityManager;
  }
}

/** Binds the classes of the entities to the driver's metadata again: MikroORM binds them to those it made last. */
export function bindEntities(driver: AbstractSqlDriver): void {
  driver.getMetadata().decorate(driver.createEntityManager());
}

/**
 * A driver whose metadata fits the tables as they are at one point of history, on the connection of the given driver. A
 * migration is code of its time, and its entities are those of today. So columns that come later are neither read nor
 * written, columns that were renamed have their name of then, and columns that no entity has any more are properties,
 * named by the naming strategy. What a migration itself asks of a later column is sent, and PostgreSQL refuses it.
 *
 * It is the given driver if that fits.
 */
function driverOfThePast(
  driver: AbstractSqlDriver,
  config: Configuration,
  tables: PastTables,
  log: (text: string) => void,
): AbstractSqlDriver {
  const past = new PastMetadata(driver, tables);
  if (past.isToday()) return driver;
  const discovery = config.get('discovery');
  const orm = new MikroORM({
    ...config.getAll(),
    ...referencesOf(driver, config),
    entityManager: rememberingEntityManager(driver, past),
    subscribers: [...config.get('subscribers'), new WithoutLaterColumns(past, log)],
    debug: false,
    discovery: {
      ...discovery,
      skipSyncDiscovery: false,
      warnWhenNoEntities: false,
      // A renamed column may be named as today and as then.
      checkDuplicateFieldNames: false,
      onMetadata: (meta: EntityMetadata, platform: Platform) => {
        discovery.onMetadata?.(meta, platform);
        past.rename(meta);
      },
      afterDiscovered: (storage: MetadataStorage, platform: Platform) => {
        discovery.afterDiscovered?.(storage, platform);
        past.hideLaterColumns(storage);
      },
    },
  } as Options);
  return Object.assign(orm.driver as unknown as AbstractSqlDriver, {
    connection: driver.getConnection(),
    replicas: [],
  });
}

/** The entities without the paths of files, which MikroORM would not search synchronously. */
function referencesOf(driver: AbstractSqlDriver, config: Configuration): Pick<Options, 'entities' | 'entitiesTs'> {
  const { entities, entitiesTs } = config.getAll();
  if (![...entities, ...entitiesTs].some((each) => typeof each === 'string')) return { entities, entitiesTs };
  const found = [...driver.getMetadata()].filter(({ pivotTable }) => !pivotTable);
  return { entities: found.map((meta) => EntitySchema.REGISTRY.get(meta.class) ?? meta.class), entitiesTs: [] };
}

/** On insert, leaves out what a class itself sets in a column that comes later: today's constructor knows today's columns. */
class WithoutLaterColumns implements EventSubscriber {
  private readonly logged = new Set<string>();

  constructor(
    private readonly past: PastMetadata,
    private readonly log: (text: string) => void,
  ) {}

  onFlush({ uow }: FlushEventArgs): void {
    for (const { type, entity, meta, payload } of uow.getChangeSets()) {
      if (type !== ChangeSetType.CREATE) continue;
      const values = payload as Record<string, unknown>;
      for (const name of Object.keys(values).filter((each) =>
        this.isLeftOut(each, entity, meta, Object.keys(values)),
      )) {
        delete values[name];
        // It would be an update at the next flush.
        Object.assign(entity, { [name]: undefined });
        const property = `${meta.className}.${name}`;
        if (!this.logged.has(property)) this.log(`${property} is not written: its column comes later in history.`);
        this.logged.add(property);
      }
    }
  }

  /** Also a renamed column under its name of today, if it is written under that of then. */
  private isLeftOut(name: string, entity: object, { class: type, properties }: EntityMetadata, all: string[]): boolean {
    if (this.past.said.get(entity)?.has(name)) return false;
    if (this.past.later.get(type)?.has(name)) return true;
    const fieldsOf = (each: string) => (properties[each as never] as EntityProperty | undefined)?.fieldNames?.join();
    return all.some((other) => other !== name && fieldsOf(other) === fieldsOf(name) && this.past.isLost(type, other));
  }
}

/** The project's entity manager, which remembers what `create` is called with. */
function rememberingEntityManager(driver: AbstractSqlDriver, past: PastMetadata): unknown {
  const Base = driver.createEntityManager().constructor as new (...args: unknown[]) => EntityManager;
  return class extends Base {
    override create(...args: unknown[]): never {
      // MikroORM completes the data.
      const said = Object.keys((args[1] as object | undefined) ?? {});
      const entity = (super.create as (...args: unknown[]) => object)(...args);
      past.said.set(entity, new Set(said));
      return entity as never;
    }
  };
}
