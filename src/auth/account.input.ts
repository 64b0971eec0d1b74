import { Field, InputType } from 'type-graphql';
import { z } from 'zod';
import { UserErrorCode } from '../graphql/user-errors.ts';
import {
  countCharacters,
  formatLimit,
  maxLength,
  name,
  optionalText,
  optionalUrl,
  refine,
  storable,
} from '../graphql/validation.ts';
import { isName } from '../text/characters.ts';
import { USER_LIMITS } from '../users/user.limits.ts';
import { isCommonPassword, PASSWORD_LIMITS, preparePassword } from './password-rules.ts';

const USERNAME_RULES = `1 to ${USER_LIMITS.username} characters, each of them visible; unique ignoring case.`;
const EMAIL_RULES = `At most ${USER_LIMITS.email} characters with one @, each of them visible; unique ignoring case.`;
const PASSWORD_RULES = `${PASSWORD_LIMITS.min} to ${PASSWORD_LIMITS.max} characters, any but U+0000. Any space is the same, and so is any spelling of a letter with an accent.`;

@InputType({ description: 'A new account.' })
export class RegisterInput {
  @Field(() => String, { description: USERNAME_RULES })
  username!: string;

  @Field(() => String, { description: EMAIL_RULES })
  email!: string;

  @Field(() => String, { description: PASSWORD_RULES })
  password!: string;
}

@InputType({ description: 'Who signs in.' })
export class LoginInput {
  @Field(() => String, {
    description: 'The address the account was made with, ignoring case and white space around it.',
  })
  email!: string;

  @Field(() => String, { description: 'Its password.' })
  password!: string;
}

@InputType({ description: 'A session to go on with.' })
export class RefreshSessionInput {
  @Field(() => String, { description: 'From the payload that opened or last refreshed the session; good once.' })
  refreshToken!: string;
}

@InputType({ description: 'How far to sign out.' })
export class LogoutInput {
  @Field(() => Boolean, {
    nullable: true,
    defaultValue: false,
    description: 'Every session of the viewer, not just this.',
  })
  everywhere?: boolean | null;
}

@InputType({
  description:
    'An absent field stays as it is; bio and image are cleared by null (or ""); null is a ValidationError for the rest.',
})
export class UpdateViewerInput {
  @Field(() => String, {
    nullable: true,
    description: USERNAME_RULES,
  })
  username?: string | null;

  @Field(() => String, {
    nullable: true,
    description: EMAIL_RULES,
  })
  email?: string | null;

  @Field(() => String, {
    nullable: true,
    description: `${PASSWORD_RULES} Ends every other session; this one and its tokens stay valid.`,
  })
  password?: string | null;

  @Field(() => String, {
    nullable: true,
    description: `At most ${formatLimit(USER_LIMITS.bio)} characters; one that is blank becomes null.`,
  })
  bio?: string | null;

  @Field(() => String, {
    nullable: true,
    description: `Absolute http(s) URL, at most ${formatLimit(USER_LIMITS.image)} characters, as typed and when serialized, which is how it is stored.`,
  })
  image?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'The password so far. Needed with `password`, unless the session was opened less than 15 minutes ago.',
  })
  currentPassword?: string | null;
}

@InputType({ description: 'Confirms that an account is to be removed.' })
export class DeleteViewerInput {
  @Field(() => String, { description: "The account's password." })
  password!: string;
}

/** Only white space is BLANK here: other characters that are not drawn have been typed, and are INVALID. */
const isWhiteSpace = (value: string) => value.trim() === '';

const username = name(USER_LIMITS.username, isName, isWhiteSpace);

const isEmail = (value: string) => /^[^@\s]+@[^@\s]+$/.test(value) && isName(value);

/** Keyboards of phones add a space. */
const trimmed = z.string().transform((typed) => typed.trim());

const email = trimmed.pipe(name(USER_LIMITS.email, isEmail, isWhiteSpace));

/** No composition rules: NIST 800-63B and ASVS 5.0 (6.2.1, 6.2.5, 6.2.9). */
const password = (refuseCommon: boolean) =>
  z
    .string()
    .transform(preparePassword)
    .pipe(
      z.string().check(
        refine((value) => value !== '', UserErrorCode.BLANK, "can't be blank"),
        refine(
          (value) => value === '' || countCharacters(value) >= PASSWORD_LIMITS.min,
          UserErrorCode.TOO_SHORT,
          `is too short (minimum is ${PASSWORD_LIMITS.min} characters)`,
          PASSWORD_LIMITS.min,
        ),
        maxLength(PASSWORD_LIMITS.max),
        storable,
        refine((value) => !(refuseCommon && isCommonPassword(value)), UserErrorCode.INVALID, 'is too common'),
      ),
    );

const required = z.string().check(refine((value) => value !== '', UserErrorCode.BLANK, "can't be blank"));

export interface PasswordSettings {
  readonly refuseCommonPasswords: boolean;
}

export const registrationRules = ({ refuseCommonPasswords }: PasswordSettings) =>
  z.object({ username, email, password: password(refuseCommonPasswords) });

export const credentialRules = z.object({ email: trimmed.pipe(required.check(storable)), password: required });

export const viewerChangeRules = ({ refuseCommonPasswords }: PasswordSettings) =>
  z.object({
    username: username.optional(),
    email: email.optional(),
    password: password(refuseCommonPasswords).optional(),
    bio: optionalText(USER_LIMITS.bio).optional(),
    image: optionalUrl(USER_LIMITS.image).optional(),
  });
