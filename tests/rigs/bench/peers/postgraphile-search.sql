-- The search of articles for PostGraphile: over the same index, as a function is usually written. It ranks every match.
create or replace function search_articles(query text) returns setof articles language sql stable as
$$
  select articles.* from article_search join articles on id = article_id
  where vector @@ search_query(query) and status = 'PUBLISHED'
  order by ts_rank(vector, search_query(query), 32) desc, id desc
$$;
