import { Field, InputType } from 'type-graphql';
import { z } from 'zod';
import { isStorable } from '../database/storable.ts';
import { UserErrorCode } from '../graphql/user-errors.ts';
import { countCharacters, optionalText, optionalUrl, refine, text } from '../graphql/validation.ts';
import { isCommonPassword } from './common-passwords.ts';

@InputType({ description: 'A new account.' })
export class RegisterInput {
  @Field(() => String, { description: '1 to 50 characters, none of them hidden; unique ignoring case.' })
  username!: string;

  @Field(() => String, { description: 'At most 254 characters with one @, unique ignoring case.' })
  email!: string;

  @Field(() => String, { description: '8 to 128 characters, any of them.' })
  password!: string;
}

@InputType({ description: 'Who signs in.' })
export class LoginInput {
  @Field(() => String, { description: 'The address the account was made with, ignoring case.' })
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
    description: '1 to 50 characters, none of them hidden; unique ignoring case.',
  })
  username?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'At most 254 characters with one @, unique ignoring case.',
  })
  email?: string | null;

  @Field(() => String, {
    nullable: true,
    description: '8 to 128 characters, any of them. Ends every other session, and the tokens issued before.',
  })
  password?: string | null;

  @Field(() => String, { nullable: true, description: 'At most 1,000 characters.' })
  bio?: string | null;

  @Field(() => String, { nullable: true, description: 'Absolute http(s) URL, at most 2,048 characters.' })
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

/**
 * What nobody sees in a name would make it look like somebody else's. It stays where it belongs: after an emoji, and after
 * letters of scripts that are written with joiners.
 */
const HIDDEN = [
  /^\s|\s$|(?!\0)\p{Cc}/u,
  /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/, // which way text runs
  /(?<![\p{Extended_Pictographic}\p{Emoji_Modifier}\p{DI}\p{sc=Arab}\p{sc=Deva}\p{sc=Beng}\p{sc=Mlym}\p{sc=Sinh}])\p{DI}/u,
];

const showsWhole = (name: string) => name.trim() === '' || !HIDDEN.some((hidden) => hidden.test(name));

const username = text(50).check(refine(showsWhole, UserErrorCode.INVALID, 'is invalid'));

const email = text(254).check(
  refine((value) => value.trim() === '' || /^[^@\s]+@[^@\s]+$/.test(value), UserErrorCode.INVALID, 'is invalid'),
);

const storable = refine(isStorable, UserErrorCode.INVALID, 'is invalid');

/** No rules of composition: NIST 800-63B and ASVS 5.0 (6.2.1, 6.2.5, 6.2.9). */
const password = (refuseCommon: boolean) =>
  z.string().check(
    refine((value) => value !== '', UserErrorCode.BLANK, "can't be blank"),
    refine(
      (value) => value === '' || countCharacters(value) >= 8,
      UserErrorCode.TOO_SHORT,
      'is too short (minimum is 8 characters)',
      8,
    ),
    refine(
      (value) => countCharacters(value) <= 128,
      UserErrorCode.TOO_LONG,
      'is too long (maximum is 128 characters)',
      128,
    ),
    storable,
    refine((value) => !(refuseCommon && isCommonPassword(value)), UserErrorCode.INVALID, 'is too common'),
  );

const given = z.string().check(refine((value) => value !== '', UserErrorCode.BLANK, "can't be blank"));

export interface PasswordSettings {
  readonly refuseCommonPasswords: boolean;
}

export const registration = ({ refuseCommonPasswords }: PasswordSettings) =>
  z.object({ username, email, password: password(refuseCommonPasswords) });

export const credentials = z.object({ email: given.check(storable), password: given });

export const viewerChanges = ({ refuseCommonPasswords }: PasswordSettings) =>
  z.object({
    username: username.optional(),
    email: email.optional(),
    password: password(refuseCommonPasswords).optional(),
    bio: optionalText(1000).optional(),
    image: optionalUrl(2048).optional(),
  });
