import { Field, Int, InterfaceType, ObjectType, registerEnumType } from 'type-graphql';
import { sentenceAbout, subjectOf } from './sentences.ts';

/** Errors as data, which the end user can correct. The messages are RealWorld's. */

export enum ResourceKind {
  ARTICLE = 'ARTICLE',
  COMMENT = 'COMMENT',
  USER = 'USER',
  TAG = 'TAG',
}

registerEnumType(ResourceKind, {
  name: 'ResourceKind',
  description: 'What kind of thing an error is about.',
  valuesConfig: {
    ARTICLE: { description: 'An article.' },
    COMMENT: { description: 'A comment.' },
    USER: { description: 'A user; RealWorld calls it a profile.' },
    TAG: { description: 'A tag.' },
  },
});

export enum UserErrorCode {
  BLANK = 'BLANK',
  INVALID = 'INVALID',
  TOO_SHORT = 'TOO_SHORT',
  TOO_LONG = 'TOO_LONG',
  TOO_MANY = 'TOO_MANY',
  TAKEN = 'TAKEN',
  NOT_FOUND = 'NOT_FOUND',
  FORBIDDEN = 'FORBIDDEN',
  INVALID_CREDENTIALS = 'INVALID_CREDENTIALS',
  CONFLICT = 'CONFLICT',
}

registerEnumType(UserErrorCode, {
  name: 'UserErrorCode',
  description: 'What is wrong, for programs.',
  valuesConfig: {
    BLANK: { description: 'Nothing, or nothing that is drawn, where something must be.' },
    INVALID: { description: 'Not of the form it must have.' },
    TOO_SHORT: { description: 'Fewer characters than `limit`.' },
    TOO_LONG: { description: 'More characters than `limit`.' },
    TOO_MANY: { description: 'More items than `limit`.' },
    TAKEN: { description: 'Somebody else has it already.' },
    NOT_FOUND: { description: 'There is no such thing, or the viewer may not see it.' },
    FORBIDDEN: { description: 'The viewer may see it but not change it.' },
    INVALID_CREDENTIALS: { description: 'The e-mail address, the password or the refresh token is wrong.' },
    CONFLICT: {
      description: 'It was changed since the version that the viewer has read, or the key was used with other input.',
    },
  },
});

@InterfaceType({
  description: 'An error the end user can act on. Everything else is a top-level GraphQL error with extensions.code.',
})
export abstract class UserError {
  @Field(() => String, {
    description: 'Human readable, safe to show. RealWorld wording where RealWorld has one ("can\'t be blank").',
  })
  readonly message!: string;

  @Field(() => String, {
    description: 'The same as a full sentence that names its subject: "The title can\'t be blank."',
  })
  readonly sentence!: string;

  @Field(() => UserErrorCode, { description: 'What is wrong, for programs.' })
  readonly code!: UserErrorCode;

  @Field(() => [String], {
    nullable: true,
    description:
      'Path of the offending input, from the argument name down: ["input", "title"]. Null when no single input is at fault.',
  })
  readonly path!: readonly string[] | null;
}

@ObjectType({ implements: UserError, description: 'The input breaks a rule (RealWorld: HTTP 422).' })
export class ValidationError implements UserError {
  readonly message!: string;
  readonly code!: UserErrorCode;
  readonly path!: readonly string[] | null;

  @Field(() => Int, {
    nullable: true,
    description: 'The limit that was broken, for TOO_SHORT, TOO_LONG and TOO_MANY.',
  })
  readonly limit!: number | null;

  constructor(code: UserErrorCode, message: string, path: readonly string[], limit: number | null = null) {
    Object.assign(this, { code, message, path, limit });
  }

  get sentence(): string {
    return sentenceAbout(this.path, this.message);
  }
}

@ObjectType({ implements: UserError, description: 'The value must be unique and is in use (RealWorld: HTTP 409).' })
export class TakenError implements UserError {
  readonly message = 'has already been taken';
  readonly code = UserErrorCode.TAKEN;

  constructor(readonly path: readonly string[]) {}

  get sentence(): string {
    return sentenceAbout(this.path, this.message);
  }
}

@ObjectType({
  implements: UserError,
  description: 'The thing to act on does not exist or is not visible to the viewer (RealWorld: HTTP 404).',
})
export class NotFoundError implements UserError {
  readonly message = 'not found';
  readonly code = UserErrorCode.NOT_FOUND;

  @Field(() => ResourceKind, { description: 'What was not found.' })
  readonly resource: ResourceKind;

  constructor(
    resource: ResourceKind,
    readonly path: readonly string[] | null = null,
  ) {
    this.resource = resource;
  }

  get sentence(): string {
    return `There is no such ${this.resource.toLowerCase()}, or you may not see it.`;
  }
}

@ObjectType({
  implements: UserError,
  description: 'The viewer may see it but not change it (RealWorld: HTTP 403).',
})
export class ForbiddenError implements UserError {
  readonly message = 'forbidden';
  readonly code = UserErrorCode.FORBIDDEN;
  readonly path = null;

  @Field(() => ResourceKind, { description: 'What may not be changed.' })
  readonly resource: ResourceKind;

  constructor(resource: ResourceKind) {
    this.resource = resource;
  }

  get sentence(): string {
    return `You may not change this ${this.resource.toLowerCase()}, because it is not yours.`;
  }
}

@ObjectType({
  implements: UserError,
  description: 'Wrong e-mail or password; deliberately does not say which (RealWorld: HTTP 401).',
})
export class InvalidCredentialsError implements UserError {
  readonly message = 'invalid';
  readonly code = UserErrorCode.INVALID_CREDENTIALS;

  constructor(readonly path: readonly string[] | null = null) {}

  get sentence(): string {
    const [, name] = this.path ?? [];
    return name ? `${subjectOf(name)} is wrong.` : 'The e-mail address or the password is wrong.';
  }
}

@ObjectType({
  implements: UserError,
  description: 'It was changed since `expectedVersion` was read. Read it again, merge, and send the current version.',
})
export class StaleVersionError implements UserError {
  readonly message = 'has changed since';
  readonly code = UserErrorCode.CONFLICT;

  @Field(() => Int, { description: 'The version that it has now.' })
  readonly currentVersion: number;

  constructor(
    currentVersion: number,
    readonly path: readonly string[] | null = null,
  ) {
    this.currentVersion = currentVersion;
  }

  get sentence(): string {
    return 'The article has changed since you read it.';
  }
}

/** Thrown anywhere in a mutation; mutation-wrapper.ts returns it as the payload's `errors`. */
export class Refusal extends Error {
  readonly errors: readonly UserError[];

  constructor(...errors: readonly UserError[]) {
    super(errors.map(({ code, path }) => `${code} ${path?.join('.') ?? ''}`.trim()).join(', '));
    this.errors = errors;
  }
}

/** Throws unless the policy allows it. */
export function requirePermission(isAllowed: boolean, resource: ResourceKind): void {
  if (!isAllowed) throw new Refusal(new ForbiddenError(resource));
}
