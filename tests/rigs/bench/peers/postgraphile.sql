-- What PostGraphile cannot derive from the tables: the viewer and their flags, the feed and the mutations.

create schema blog_private;

create function blog_private.viewer_id() returns int language sql stable as
$$ select nullif(current_setting('blog.viewer', true), '')::int $$;

create function articles_viewer_has_favorited(article articles) returns boolean language sql stable as
$$ select exists (select from favorites where user_id = blog_private.viewer_id() and article_id = article.id) $$;

create function users_viewer_is_following(author users) returns boolean language sql stable as
$$ select exists (select from follows where follower_id = blog_private.viewer_id() and followed_id = author.id) $$;

create function feed() returns setof articles language sql stable as
$$
  select articles.* from follows cross join lateral (
    select * from articles where author_id = followed_id and status = 'PUBLISHED' order by published_at desc, id desc limit 20
  ) as articles
  where follower_id = blog_private.viewer_id() order by published_at desc, id desc
$$;

create function publish_article(title text, description text, body text, tag_list text[]) returns articles
language plpgsql volatile as
$$
declare
  created articles;
  wanted text := trim('-' from lower(regexp_replace(title, '[^a-zA-Z0-9]+', '-', 'g')));
begin
  if exists (select from articles where slug = wanted) then
    wanted := wanted || '-' || substr(gen_random_uuid()::text, 1, 8);
  end if;
  insert into articles (slug, title, description, body, author_id)
  values (wanted, publish_article.title, publish_article.description, publish_article.body, blog_private.viewer_id())
  returning * into created;
  insert into tags (name) select unnest(tag_list) except select name from tags where name = any(tag_list)
  on conflict do nothing;
  insert into article_tags (article_id, tag_id)
  select created.id, tags.id from unnest(tag_list) with ordinality as listed (name, place) join tags using (name)
  order by place;
  return created;
end
$$;

create function favorite_article(slug text) returns articles language plpgsql volatile as
$$
declare
  found articles;
begin
  insert into favorites (user_id, article_id)
  select blog_private.viewer_id(), articles.id from articles where articles.slug = favorite_article.slug
  on conflict do nothing;
  select * into found from articles where articles.slug = favorite_article.slug;
  return found;
end
$$;

create function add_comment(slug text, body text) returns comments language sql volatile as
$$
  insert into comments (article_id, author_id, body)
  select articles.id, blog_private.viewer_id(), add_comment.body from articles where articles.slug = add_comment.slug
  returning comments.*
$$;
