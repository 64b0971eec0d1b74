import {
  type EntityMetadata,
  type EntityProperty,
  type MetadataStorage,
  type Platform,
  ReferenceKind,
} from '@mikro-orm/core';
import type { AbstractSqlDriver } from '@mikro-orm/sql';
import type { FoundTable, PastColumn, PastTable, PastTables } from './past-columns.ts';

/** The metadata of today's entities, made to fit the tables of one point of history. */
export class PastMetadata {
  /** The keys of the data that `em.create` was called with: what a migration itself says. */
  readonly said = new WeakMap<object, Set<string>>();
  /** The properties of each entity whose columns come later. */
  readonly later = new Map<unknown, Set<string>>();
  private readonly lost = new Map<unknown, Set<string>>();
  private readonly found = new Map<unknown, FoundTable>();
  private readonly today: MetadataStorage;
  private readonly platform: Platform;

  constructor(
    driver: AbstractSqlDriver,
    private readonly tables: PastTables,
  ) {
    this.today = driver.getMetadata();
    this.platform = driver.getPlatform();
    const metas = [...this.today].filter((meta) => !meta.embeddable && meta.tableName);
    for (const meta of metas) {
      const found = tables.find(schemaOf(meta), meta.tableName, columnsOf(meta));
      if (found) this.found.set(meta.class, found);
    }
    const taken = new Set([...this.found.values()].map(({ table }) => table));
    const similar = metas
      .filter((meta) => !this.found.has(meta.class))
      .flatMap((meta) => tables.findSimilar(columnsOf(meta), taken).map((found) => ({ meta, found })));
    for (const { meta, found } of similar) {
      const rivals = similar.filter((other) => other.meta === meta || other.found.table === found.table);
      if (rivals.length === 1) this.found.set(meta.class, found);
    }
  }

  isToday(): boolean {
    return [...this.today].every((meta) => {
      const found = this.found.get(meta.class);
      if (!found) return true;
      const { table, names } = found;
      return (
        table.name === meta.tableName &&
        names.size === table.columns.size &&
        [...names].every(([today, past]) => today === past && table.columns.has(today)) &&
        meta.props.every((prop) => !this.changedType(prop, table, names) && !this.isRequiredLater(prop, table))
      );
    });
  }

  /** Gives an entity the names and types of then, before MikroORM completes its metadata. */
  rename(meta: EntityMetadata): void {
    const today = this.today.find(meta.class);
    const found = this.found.get(meta.class);
    if (!today || !found) return;
    const { table, names } = found;
    if (table.name !== today.tableName) meta.tableName = table.name;
    if (table.schema !== schemaOf(today)) meta.schema = table.schema;
    for (const prop of Object.values(meta.properties)) {
      const complete = today.properties[prop.name as never] as EntityProperty | undefined;
      if (!complete?.fieldNames || !hasColumns(complete)) continue;
      // Whether a value is required then, PostgreSQL knows.
      if (!complete.primary) prop.nullable = true;
      const fields = complete.fieldNames.map((field) => names.get(field) ?? field);
      if (fields.join() !== complete.fieldNames.join()) renameProperty(prop, fields);
      const type = this.changedType(complete, table, names);
      if (type) this.retype(prop, type);
    }
    const known = new Set(names.keys());
    const lost = [...table.columns.values()].flatMap((column) =>
      known.has(column.name) ? [] : this.lostProperties(column, meta),
    );
    for (const prop of lost) meta.addProperty(prop);
    this.lost.set(meta.class, new Set(lost.map(({ name }) => name)));
  }

  /** Whether it is a property that no entity has any more. */
  isLost(entity: unknown, property: string): boolean {
    return this.lost.get(entity)?.has(property) ?? false;
  }

  /** Keeps what comes later out of SELECT and RETURNING, and what depends on it. */
  hideLaterColumns(storage: MetadataStorage): void {
    for (const meta of storage) {
      const table = this.found.get(meta.class)?.table ?? this.tables.find(schemaOf(meta), meta.tableName, [])?.table;
      if (!table) continue;
      const later = meta.props.filter(
        (prop) => hasColumns(prop) && prop.fieldNames?.some((field) => !table.columns.has(field)),
      );
      if (later.length === 0) continue;
      this.later.set(meta.class, new Set(later.map(({ name }) => name)));
      for (const prop of later) hide(prop);
      for (const prop of meta.props) if (prop.formula) prop.lazy = true;
      if (later.some(({ name }) => name === meta.versionProperty))
        delete (meta as Partial<EntityMetadata>).versionProperty;
      for (const { name } of later) meta.concurrencyCheckKeys.delete(name as never);
      meta.sync();
    }
  }

  /** The column of then, if its values are of another kind in JavaScript. */
  private changedType(prop: EntityProperty, table: PastTable, names: Map<string, string>): PastColumn | undefined {
    if (prop.kind !== ReferenceKind.SCALAR || !hasColumns(prop) || prop.embedded) return undefined;
    const column = table.columns.get(names.get(prop.fieldNames[0] ?? '') ?? '');
    const kindOf = (type: string | undefined) => (type ? this.platform.getMappedType(type).compareAsType() : 'any');
    const kinds = [kindOf(prop.columnTypes?.[0]), kindOf(column?.type)];
    return column && !kinds.includes('any') && kinds[0] !== kinds[1] ? column : undefined;
  }

  private isRequiredLater(prop: EntityProperty, table: PastTable): boolean {
    return hasColumns(prop) && !prop.nullable && table.columns.get(prop.fieldNames[0] ?? '')?.required === false;
  }

  private retype(prop: EntityProperty, { type }: PastColumn): void {
    for (const key of ['enum', 'items', 'nativeEnumName', 'array', 'length', 'precision', 'scale'] as const)
      delete (prop as Partial<EntityProperty>)[key];
    const customType = this.platform.getMappedType(type);
    Object.assign(prop, { type: customType.constructor.name, customType, columnTypes: [type] });
  }

  /** A column that no entity has: a property, and a relation if it refers to the table of an entity. */
  private lostProperties(column: PastColumn, meta: EntityMetadata): EntityProperty[] {
    const naming = this.platform.getNamingStrategy();
    const name = new (
      naming as unknown as new () => { columnNameToProperty(name: string): string }
    )().columnNameToProperty(column.name);
    const base = { fieldNames: [column.name], nullable: true };
    const customType = this.platform.getMappedType(column.type);
    const scalar = {
      ...base,
      name,
      kind: ReferenceKind.SCALAR,
      type: customType.constructor.name,
      customType,
      columnTypes: [column.type],
    };
    const target = column.references && this.entityOf(column.references);
    const relation = name.replace(/Id$/, '');
    if (target && relation !== name) {
      const toOne = {
        ...base,
        name: relation,
        kind: ReferenceKind.MANY_TO_ONE,
        type: target.className,
        entity: () => target.class,
      };
      if (!meta.properties[relation as never]) return [toOne as unknown as EntityProperty];
    }
    return meta.properties[name as never] ? [] : [scalar as unknown as EntityProperty];
  }

  private entityOf({ schema, name }: { schema: string; name: string }): EntityMetadata | undefined {
    return [...this.today].find((meta) => {
      const table = this.found.get(meta.class)?.table;
      return table?.schema === schema && table.name === name;
    });
  }
}

function renameProperty(prop: EntityProperty, fields: string[]): void {
  delete (prop as { fieldName?: string }).fieldName;
  delete (prop as { joinColumn?: string }).joinColumn;
  prop.fieldNames = fields;
  if (prop.kind !== ReferenceKind.SCALAR) prop.joinColumns = fields;
}

function hide(prop: EntityProperty): void {
  Object.assign(prop, { lazy: true, nullable: true, eager: false });
  for (const key of ['default', 'defaultRaw', 'onCreate', 'onUpdate', 'autoincrement', 'generated', 'version'] as const)
    delete (prop as Partial<EntityProperty>)[key];
}

const hasColumns = (prop: EntityProperty) =>
  prop.persist !== false &&
  !prop.formula &&
  prop.kind !== ReferenceKind.EMBEDDED &&
  prop.kind !== ReferenceKind.ONE_TO_MANY &&
  prop.kind !== ReferenceKind.MANY_TO_MANY &&
  !(prop.kind === ReferenceKind.ONE_TO_ONE && !prop.owner) &&
  Boolean(prop.fieldNames?.length);

const columnsOf = (meta: EntityMetadata) => [
  ...new Set(meta.props.filter(hasColumns).flatMap(({ fieldNames }) => fieldNames)),
];

const schemaOf = (meta: EntityMetadata) => (meta.schema && meta.schema !== '*' ? meta.schema : 'public');
