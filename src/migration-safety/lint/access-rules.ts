import type { Tree } from '../sql/statements.ts';
import { tableKey } from './known-schema.ts';
import { routineName } from './nested-statements.ts';
import { after, alters, before, type Context, drops, inUse, type Rule, relationOf, statement } from './rule.ts';

/** Roles, privileges, and the policies of row level security. */
export const ACCESS_RULES: Rule[] = [
  {
    code: 'row-security-without-policy',
    severity: 'error',
    harm: 'Without a policy, only the owner of the table sees its rows.',
    instead: 'create the policy in the same migration, before it is enabled.',
    matches: alters(
      'AT_EnableRowSecurity',
      (_cmd, context, s) =>
        !context.statements.some(
          ({ kind, tree }) => kind === 'CreatePolicyStmt' && tableKey(tree.table) === tableKey(s.tree.relation),
        ),
    ),
  },
  {
    code: 'disable-row-security',
    severity: 'error',
    harm: 'Every role that may read the table sees all of its rows.',
    instead: 'a policy for the role that has to see them.',
    matches: alters(['AT_DisableRowSecurity', 'AT_NoForceRowSecurity']),
  },
  {
    code: 'drop-policy',
    severity: 'error',
    harm: 'Rows that only this policy showed are hidden, and rows that only this policy hid are shown.',
    instead: 'alter policy; or create the policy that replaces it in the same migration.',
    matches: drops('OBJECT_POLICY', ({ objects }, context) =>
      objects.some((each: Tree) => {
        const relation = relationOf(each.List.items.slice(0, -1));
        return inUse(relation, context) && !hasNewPolicy(relation, context);
      }),
    ),
  },
  {
    code: 'grant-to-public',
    severity: 'error',
    harm: 'Every current and future role gets the privilege.',
    instead: 'name the role.',
    matches: statement(['GrantStmt', 'AlterDefaultPrivilegesStmt'], (tree) => {
      const { is_grant, grantees } = tree.action ?? tree;
      return is_grant && grantees.some((each: Tree) => each.RoleSpec.roletype === 'ROLESPEC_PUBLIC');
    }),
  },
  {
    code: 'revoke',
    severity: 'warning',
    harm: 'Code that is still running as this role fails.',
    instead: 'first deploy code that does not need the privilege.',
    matches: statement(
      ['GrantStmt', 'GrantRoleStmt'],
      (tree, context) => !tree.is_grant && !(tree.objects ?? [{}]).every((each: Tree) => isNew(each, context)),
    ),
  },
  {
    code: 'definer-without-search-path',
    severity: 'error',
    harm: 'The caller chooses which tables and operators the owner’s privileges are used on.',
    instead: 'security definer set search_path = … on the function.',
    matches: statement(
      ['CreateFunctionStmt', 'AlterFunctionStmt'],
      (tree, context) => isDefiner(tree) && !setsSearchPath(tree) && !hasSearchPath(tree, context),
    ),
  },
  {
    code: 'privileged-role',
    severity: 'error',
    harm: 'The role passes every check of privileges, or can give itself what it lacks.',
    instead: 'a role without these attributes, with the grants it needs.',
    matches: statement(['CreateRoleStmt', 'AlterRoleStmt'], (tree) =>
      PRIVILEGED.some((attribute) => isTrue(tree, attribute)),
    ),
  },
  {
    code: 'alter-role',
    severity: 'error',
    harm: 'Roles belong to the whole server: applications on its other databases are affected, and other environments have other roles.',
    instead: 'change roles where the server is set up.',
    matches: statement(['AlterRoleStmt', 'AlterRoleSetStmt', 'RenameStmt'], (tree, context, s) =>
      s.kind === 'RenameStmt' ? tree.renameType === 'OBJECT_ROLE' : !isNewRole(tree.role?.rolename, context),
    ),
  },
  {
    code: 'drop-role',
    severity: 'error',
    harm: 'Roles belong to the whole server: whoever connects as this one, to any of its databases, no longer can.',
    instead: 'drop roles where the server is set up.',
    matches: statement(
      'DropRoleStmt',
      (tree, context) => !tree.roles.every((each: Tree) => isNewRole(each.RoleSpec.rolename, context)),
    ),
  },
  {
    code: 'drop-owned',
    severity: 'error',
    harm: 'Everything that the role owns in this database is dropped, without being named: tables, functions, privileges.',
    instead: 'reassign owned by … to …, then drop by name what has to go.',
    matches: statement('DropOwnedStmt'),
  },
];

const PRIVILEGED = ['superuser', 'createrole', 'createdb', 'isreplication', 'bypassrls'];

/** Whether the migration, before or after, creates a policy on the table. */
const hasNewPolicy = (relation: Tree, context: Context): boolean =>
  [...before(context), ...after(context)].some(
    ({ kind, tree }) => kind === 'CreatePolicyStmt' && tableKey(tree.table) === tableKey(relation),
  );

/** Whether the migration created the table, function or sequence whose privileges are taken away. */
const isNew = ({ RangeVar, ObjectWithArgs }: Tree, context: Context): boolean =>
  (RangeVar && !inUse(RangeVar, context)) ||
  before(context).some(
    ({ kind, tree }) =>
      (kind === 'CreateFunctionStmt' && routineName(tree.funcname) === routineName(ObjectWithArgs?.objname)) ||
      (kind === 'CreateSeqStmt' && RangeVar && tableKey(tree.sequence) === tableKey(RangeVar)),
  );

const isNewRole = (role: string | undefined, context: Context): boolean =>
  before(context).some(({ kind, tree }) => kind === 'CreateRoleStmt' && tree.role === role);

const isDefiner = (tree: Tree): boolean => isTrue(tree, 'security');

const setsSearchPath = (tree: Tree): boolean =>
  (tree.options ?? tree.actions ?? []).some((each: Tree) => each.DefElem?.arg?.VariableSetStmt?.name === 'search_path');

/** Whether a function that is altered has its search path from another statement. */
function hasSearchPath({ func }: Tree, { routines, statements }: Context): boolean {
  if (!func) return false;
  const name = routineName(func.objname);
  const defined = routines.get(name);
  return (
    (defined !== undefined && setsSearchPath(defined.tree)) ||
    statements.some(
      ({ kind, tree }) =>
        kind === 'AlterFunctionStmt' && routineName(tree.func?.objname) === name && setsSearchPath(tree),
    )
  );
}

/** Whether a boolean option is set: `security` is false for security invoker. */
const isTrue = (tree: Tree, name: string): boolean =>
  (tree.options ?? tree.actions ?? []).some(
    (each: Tree) => each.DefElem?.defname === name && each.DefElem.arg?.Boolean?.boolval === true,
  );
