import { Check, Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';

/** How texts are indexed, in one row. Without that row they are indexed in English. It is a table because triggers read it. */
@Entity({ tableName: 'search_settings' })
@Check({ name: 'search_settings_one_row', expression: 'id = 1' })
export class SearchSettings {
  @PrimaryKey({ type: 'integer', autoincrement: false })
  readonly id!: number;

  /** A text search configuration of PostgreSQL. */
  @Property({ type: 'text' })
  readonly language!: string;
}
