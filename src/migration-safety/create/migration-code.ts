import type { PlannedMigration } from '../plan/operation.ts';

const LINE_WIDTH = 120;

/** Adds to the code of MikroORM's generator what the migration says of it, in the layout that formatters keep. */
export function completeCode(code: string, { transactional, down, reason }: PlannedMigration): string {
  const members = [
    ...(transactional ? [] : ['  override isTransactional(): boolean {\n    return false;\n  }\n']),
    ...(down.length > 0
      ? []
      : [
          '  override down(): void {\n    // Nothing to undo: the rows stay as they are, and so does the schema.\n  }\n',
        ]),
  ];
  return code
    .replace(/^ {4}this\.addSql\((`(?:[^`\\\n]|\\.)*`)\);$/gm, (line, sql) =>
      line.length > LINE_WIDTH ? `    this.addSql(\n      ${sql},\n    );` : line,
    )
    .replace(/^(.*\bextends Migration \{)\n\n/m, `${reason ? comment(reason) : ''}$1\n`)
    .replace(/\n\n\}\n$/, `\n${members.map((each) => `\n${each}`).join('')}}\n`);
}

const comment = (text: string) => `/** ${text.replaceAll('*/', '* /').replace(/\s+/g, ' ').trim()} */\n`;
