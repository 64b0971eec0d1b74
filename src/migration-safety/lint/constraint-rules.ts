import type { Tree } from '../sql/statements.ts';
import { addsConstraint, alters, bare, inUse, type Rule, statement } from './rule.ts';

/** Constraints: what is checked while everybody waits. */
export const CONSTRAINT_RULES: Rule[] = [
  {
    code: 'validated-foreign-key',
    severity: 'error',
    harm: 'Writes to both tables wait while every row is looked up.',
    instead: 'add it not valid; validate it in the next migration, where nobody waits.',
    finds: addsConstraint('CONSTR_FOREIGN', (constraint) => !constraint.skip_validation),
  },
  {
    code: 'validated-check',
    severity: 'error',
    harm: 'Reads and writes wait while every row is checked.',
    instead: 'add it not valid; validate it in the next migration, where nobody waits.',
    finds: addsConstraint('CONSTR_CHECK', (constraint) => !constraint.skip_validation),
  },
  {
    code: 'validated-at-once',
    severity: 'error',
    harm: 'The strong lock of adding it is held until the end of the transaction, so everybody waits for the validation after all.',
    instead: 'validate it in a migration of its own.',
    finds: (s, context) =>
      context.transactional &&
      alters('AT_ValidateConstraint', (cmd) =>
        context.statements
          .slice(0, context.index)
          .some(
            ({ tree }) =>
              bare(tree.relation) === bare(s.tree.relation) &&
              tree.cmds?.some(({ AlterTableCmd: c }: Tree) => c?.def?.Constraint?.conname === cmd.name),
          ),
      )(s, context),
  },
  {
    code: 'blocking-unique',
    severity: 'error',
    harm: 'Its index is built while readers and writers wait.',
    instead: 'create unique index concurrently, then add constraint … unique using index.',
    finds: addsConstraint('CONSTR_UNIQUE', (constraint) => !constraint.indexname),
  },
  {
    code: 'blocking-primary-key',
    severity: 'error',
    harm: 'Its index is built, and the column checked for nulls, while readers and writers wait.',
    instead: 'create unique index concurrently on a not null column, then add constraint … primary key using index.',
    finds: addsConstraint('CONSTR_PRIMARY', (constraint) => !constraint.indexname),
  },
  {
    code: 'exclusion-constraint',
    severity: 'error',
    harm: 'Its index is built while readers and writers wait, and there is no concurrent way.',
    instead: 'make it when the table is new; or a maintenance window, and a reason.',
    finds: addsConstraint('CONSTR_EXCLUSION'),
  },
  {
    code: 'nameless-constraint',
    severity: 'warning',
    harm: 'PostgreSQL makes up a name, another one where that is taken; down and the entities can not rely on it.',
    instead: 'constraint <name> …',
    finds: alters('AT_AddConstraint', (cmd) => cmd.def.Constraint && !cmd.def.Constraint.conname),
  },
  {
    code: 'drop-primary-key',
    severity: 'error',
    harm: 'Rows can be there twice from now on, foreign keys to the table fail, and replication stops.',
    instead: 'keep it until another key is in place, in the same transaction.',
    finds: alters('AT_DropConstraint', (cmd) => /_pkey$/.test(cmd.name)),
  },
  {
    code: 'domain-constraint',
    severity: 'error',
    harm: 'Every table that uses the domain is scanned while everybody waits.',
    instead: 'add it not valid; validate it in the next migration.',
    finds: statement('AlterDomainStmt', (tree) => tree.def?.Constraint && !tree.def.Constraint.skip_validation),
  },
  {
    code: 'several-tables-locked',
    severity: 'warning',
    harm: 'The lock on the first table is held while the migration waits for the second: a deadlock with whoever takes them the other way round.',
    instead: 'a migration for each table.',
    finds: statement(
      'AlterTableStmt',
      (tree, context) =>
        context.transactional &&
        inUse(tree.relation, context) &&
        strong(tree) &&
        context.statements
          .slice(0, context.index)
          .some(
            (earlier) =>
              earlier.kind === 'AlterTableStmt' &&
              strong(earlier.tree) &&
              inUse(earlier.tree.relation, context) &&
              bare(earlier.tree.relation) !== bare(tree.relation),
          ),
    ),
  },
];

const strong = (tree: Tree) =>
  tree.objtype === 'OBJECT_TABLE' &&
  tree.cmds.some(({ AlterTableCmd: cmd }: Tree) => cmd.subtype !== 'AT_ValidateConstraint');
