// #region sign-in
import { Link, useNavigate } from 'react-router';
import {
  LoginDocument,
  type LoginInput,
  RegisterDocument,
  type RegisterInput,
  type SessionFieldsFragment,
} from '../api/documents.ts';
import { submitting, useMutate } from '../api/mutate.ts';
import { session } from '../api/session.ts';
import { Errors } from '../parts/errors.tsx';
import { Field } from '../parts/field.tsx';

export function LoginPage() {
  const enter = useEnter();
  const { run, isRunning, sentences } = useMutate(LoginDocument, ({ login }) => enter(login));
  return (
    <SignIn title="Sign in" other={<Link to="/register">Need an account?</Link>} sentences={sentences}>
      <form onSubmit={submitting<LoginInput>((input) => run({ input }))}>
        <Field name="email" type="email" label="Email" autoComplete="email" isLarge />
        <Field name="password" type="password" label="Password" autoComplete="current-password" isLarge />
        <Submit isRunning={isRunning}>Sign in</Submit>
      </form>
    </SignIn>
  );
}

export function RegisterPage() {
  const enter = useEnter();
  const { run, isRunning, sentences } = useMutate(RegisterDocument, ({ register }) => enter(register));
  return (
    <SignIn title="Sign up" other={<Link to="/login">Have an account?</Link>} sentences={sentences}>
      <form noValidate onSubmit={submitting<RegisterInput>((input) => run({ input }))}>
        <Field name="username" label="Username" autoComplete="username" isLarge />
        <Field name="email" type="email" label="Email" autoComplete="email" isLarge />
        <Field name="password" type="password" label="Password" autoComplete="new-password" isLarge />
        <Submit isRunning={isRunning}>Sign up</Submit>
      </form>
    </SignIn>
  );
}

function useEnter() {
  const navigate = useNavigate();
  return (opened: SessionFieldsFragment | null) => {
    if (opened) session.open(opened);
    navigate('/');
  };
}
// #endregion

interface SignInProps {
  readonly title: string;
  readonly other: React.ReactNode;
  readonly sentences: readonly string[];
  readonly children: React.ReactNode;
}

const SignIn = ({ title, other, sentences, children }: SignInProps) => (
  <div className="auth-page container page">
    <title>{`${title} — Conduit`}</title>
    <h1 className="text-xs-center">{title}</h1>
    <p className="text-xs-center">{other}</p>
    <Errors sentences={sentences} />
    {children}
  </div>
);

const Submit = ({ isRunning, children }: { isRunning: boolean; children: string }) => (
  <button type="submit" className="btn btn-lg btn-primary pull-xs-right" disabled={isRunning}>
    {children}
  </button>
);
