import { Navigate, useNavigate } from 'react-router';
import { UpdateUserDocument, type ViewerFieldsFragment } from '../api/documents.ts';
import { submitting, useMutate } from '../api/mutate.ts';
import { session, useSignedIn } from '../api/session.ts';
import { useViewer } from '../api/viewer.ts';
import { Errors, Waiting } from '../parts/errors.tsx';
import { Field, TextField } from '../parts/field.tsx';
import { profileOf } from '../parts/person.tsx';

export function SettingsPage() {
  const viewer = useViewer();
  if (!useSignedIn()) return <Navigate to="/" />;
  return viewer ? <Settings viewer={viewer} /> : <Waiting />;
}

function Settings({ viewer }: { viewer: ViewerFieldsFragment }) {
  const navigate = useNavigate();
  const { run, isRunning, sentences } = useMutate(UpdateUserDocument, ({ updateViewer }) => {
    navigate(profileOf(updateViewer?.viewer?.user ?? viewer.user));
  });
  const { username, bio, image } = viewer.user;

  /** An empty field leaves the password as it is. */
  const save = ({ password, currentPassword, ...rest }: Record<FieldName, string>) =>
    run({ input: { ...rest, ...(password && { password }), ...(currentPassword && { currentPassword }) } });

  return (
    <div className="settings-page container page">
      <title>Settings — Conduit</title>
      <h1 className="text-xs-center">Your Settings</h1>
      <Errors sentences={sentences} />
      <form noValidate onSubmit={submitting(save)}>
        <Field name="image" label="URL of profile picture" defaultValue={image ?? ''} />
        <Field name="username" label="Username" defaultValue={username} isLarge />
        <TextField name="bio" label="Short bio about you" defaultValue={bio ?? ''} />
        <Field name="email" type="email" label="Email" defaultValue={viewer.email} />
        <Field name="password" type="password" label="New Password" autoComplete="new-password" />
        <Field name="currentPassword" type="password" label="Current Password" autoComplete="current-password" />
        <button type="submit" className="btn btn-lg btn-primary pull-xs-right" disabled={isRunning}>
          Update Settings
        </button>
      </form>
      <hr />
      <button type="button" className="btn btn-outline-danger" onClick={() => session.close().catch(() => {})}>
        Or click here to logout.
      </button>
    </div>
  );
}

type FieldName = 'image' | 'username' | 'bio' | 'email' | 'password' | 'currentPassword';
