import {
  astFromValue,
  type GraphQLInputType,
  getNullableType,
  isInputObjectType,
  isListType,
  isNonNullType,
  print,
} from 'graphql';
import type { RandomChoices } from './random-choices.ts';

/** Writes values into a document: as literals, as variables, or with variables inside. */
export class RandomInputs {
  readonly variables: Record<string, unknown> = {};
  readonly declarations: string[] = [];
  /** Whether a variable is omitted: a cursor may then belong to another order. */
  leavesOut = false;
  private names = 0;

  constructor(private readonly choices: RandomChoices) {}

  write(value: unknown, type: GraphQLInputType, { optional = true } = {}): string {
    if (this.choices.upTo(2) === 2) return this.asVariable(value, type, optional);
    const inner = getNullableType(type);
    if (isListType(inner) && Array.isArray(value)) {
      if (value.length === 1 && this.choices.once(4)) return this.write(value[0], inner.ofType);
      return `[${value.map((item) => this.write(item, inner.ofType, { optional: false })).join(', ')}]`;
    }
    if (isInputObjectType(inner) && isObject(value)) {
      const fields = inner.getFields();
      const written = Object.entries(value).map(([name, part]) => {
        const field = fields[name];
        if (!field) throw new Error(`${inner.name} has no ${name}.`);
        // In a @oneOf input the key may be neither omitted nor null.
        return `${name}: ${this.write(part, field.type, { optional: !inner.isOneOf })}`;
      });
      return `{ ${written.join(', ')} }`;
    }
    return isWritable(value) ? literalOf(value, type) : this.asVariable(value, type, optional);
  }

  /** Set, left to its default, set in place of the default, or omitted. */
  private asVariable(value: unknown, type: GraphQLInputType, optional: boolean): string {
    this.names += 1;
    const name = `v${this.names}`;
    const declared = optional || isNonNullType(type) ? String(type) : `${type}!`;
    const isNullable = !declared.endsWith('!');
    const isDefault = isWritable(value) && (isNullable || value !== null) && this.choices.once(4);
    if (isNullable && this.choices.once(8)) {
      this.leavesOut = true;
      this.declare(name, declared, this.choices.one([null, 'null']));
    } else if (isDefault) this.declare(name, declared, literalOf(value, type));
    else {
      this.declare(name, declared, isNullable && this.choices.once(8) ? 'null' : null);
      this.variables[name] = value;
    }
    return `$${name}`;
  }

  private declare(name: string, type: string, preset: string | null): void {
    this.declarations.push(`$${name}: ${type}${preset === null ? '' : ` = ${preset}`}`);
  }
}

function literalOf(value: unknown, type: GraphQLInputType): string {
  const literal = astFromValue(value, type);
  if (!literal) throw new Error(`${JSON.stringify(value)} is not valid for ${type}.`);
  return print(literal);
}

/** A lone surrogate is possible in a variable, but not in a document. */
const isWritable = (value: unknown): boolean =>
  typeof value === 'string'
    ? value.isWellFormed()
    : typeof value !== 'object' || value === null || Object.values(value).every(isWritable);

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
