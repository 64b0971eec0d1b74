// #region editor
import { useApolloClient, useQuery } from '@apollo/client/react';
import { type ComponentProps, type KeyboardEvent, useState } from 'react';
import { Link, Navigate, useNavigate, useParams } from 'react-router';
import {
  ArticleDocument,
  type ArticleFieldsFragment,
  type ArticleStatus,
  CreateArticleDocument,
  UpdateArticleDocument,
} from '../api/documents.ts';
import { submitting, useMutate } from '../api/mutate.ts';
import { useSignedIn } from '../api/session.ts';
import { Errors, NotFound, Waiting } from '../parts/errors.tsx';
import { Field, TextField } from '../parts/field.tsx';

export function NewArticle() {
  const open = useOpen();
  const { run, ...state } = useMutate(CreateArticleDocument, ({ createArticle }) => open(createArticle?.article));
  return <Editor {...state} save={(content) => run({ input: content })} />;
}

export function EditArticle() {
  const { slug = '' } = useParams();
  const { data, error } = useQuery(ArticleDocument, { variables: { slug }, fetchPolicy: 'network-only' });
  if (!data) return <Waiting error={error} />;
  if (!data.article?.viewerCanUpdate) return <NotFound what="article of yours" />;
  return <Edit key={data.article.id} article={data.article} />;
}

/** `expectedVersion` keeps an edit in another tab from being overwritten. */
function Edit({ article }: { article: ArticleFieldsFragment }) {
  const open = useOpen();
  const { run, ...state } = useMutate(UpdateArticleDocument, ({ updateArticle }) => open(updateArticle?.article));
  const [{ id, version }] = useState(article);
  const save = (content: Content) => run({ input: { article: { id }, expectedVersion: version, ...content } });
  return <Editor article={article} {...state} save={save} />;
}

/** Shows the saved article, and drops the lists that were read before it was saved. */
function useOpen() {
  const client = useApolloClient();
  const navigate = useNavigate();
  return (saved: ArticleFieldsFragment | null | undefined) => {
    for (const fieldName of ['articles', 'tags']) client.cache.evict({ id: 'ROOT_QUERY', fieldName });
    client.cache.evict({ id: 'Viewer:{}', fieldName: 'drafts' });
    if (saved) navigate(`/article/${saved.slug}`);
  };
}
// #endregion

interface EditorProps {
  readonly article?: ArticleFieldsFragment;
  readonly isRunning: boolean;
  readonly sentences: readonly string[];
  readonly isStale: boolean;
  readonly save: (content: Content) => void;
}

interface Content {
  readonly title: string;
  readonly description: string;
  readonly body: string;
  readonly tagList: string[];
  readonly status: ArticleStatus;
}

function Editor({ article, isRunning, sentences, isStale, save }: EditorProps) {
  const [tagList, setTagList] = useState(article?.tagList ?? []);
  if (!useSignedIn()) return <Navigate to="/login" />;
  return (
    <div className="editor-page container page">
      <title>{`${article ? 'Edit article' : 'New article'} — Conduit`}</title>
      <Errors sentences={sentences} />
      {article && isStale && (
        <p>
          <Link to={`/article/${article.slug}`} target="_blank">
            Open the newer article in a new tab
          </Link>
        </p>
      )}
      <form
        onSubmit={submitting<Omit<Content, 'tagList'> & { typedTag: string }>(({ typedTag, ...fields }) =>
          save({ ...fields, tagList: withTag(tagList, typedTag) }),
        )}
      >
        <Field name="title" label="Article Title" defaultValue={article?.title} isLarge />
        <Field name="description" label="What's this article about?" defaultValue={article?.description} />
        <TextField name="body" label="Write your article (in markdown)" defaultValue={article?.body} rows={14} />
        <Tags names={tagList} setNames={setTagList} />
        <div className="editor-buttons">
          {article?.status !== 'PUBLISHED' && (
            <SaveAs status="DRAFT" className="btn-outline-secondary" disabled={isRunning}>
              Save Draft
            </SaveAs>
          )}
          <SaveAs status="PUBLISHED" className="btn-primary" disabled={isRunning}>
            Publish Article
          </SaveAs>
        </div>
      </form>
    </div>
  );
}

const SaveAs = ({ status, className, ...button }: { status: ArticleStatus } & ComponentProps<'button'>) => (
  <button type="submit" name="status" value={status} className={`btn btn-lg ${className}`} {...button} />
);

/** Enter adds the tag that was typed. So does saving the article. */
function Tags({ names, setNames }: { names: string[]; setNames: (names: string[]) => void }) {
  function onKeyDown(event: KeyboardEvent<HTMLInputElement>): void {
    if (event.key !== 'Enter' || event.nativeEvent.isComposing) return;
    event.preventDefault();
    setNames(withTag(names, event.currentTarget.value));
    event.currentTarget.value = '';
  }
  return (
    <fieldset className="form-group">
      <input
        className="form-control"
        name="typedTag"
        placeholder="Enter tags"
        aria-label="Enter tags"
        autoComplete="off"
        onKeyDown={onKeyDown}
      />
      <div className="tag-list">
        {names.map((name) => (
          <span key={name} className="tag-default tag-pill">
            <button
              type="button"
              aria-label={`Remove ${name}`}
              onClick={() => setNames(names.filter((one) => one !== name))}
            >
              <i className="ion-close-round" />
            </button>{' '}
            {name}
          </span>
        ))}
      </div>
    </fieldset>
  );
}

function withTag(names: string[], typed: string): string[] {
  const name = typed.trim();
  return name && !names.includes(name) ? [...names, name] : names;
}
