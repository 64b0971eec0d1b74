/** Selects every counter that differs from the number of rows it counts, and every link of a tag without the date of its article. */
export const WRONG_COUNTERS = `
  select 'favorites' as what, id, favorites_count as is, favorites as should from articles,
    lateral (select count(*)::int as favorites from favorites where article_id = articles.id) f where favorites_count <> favorites
  union all select 'comments', id, comments_count, comments from articles,
    lateral (select count(*)::int as comments from comments where article_id = articles.id) c where comments_count <> comments
  union all select 'tags', id, articles_count, carried from tags,
    lateral (select count(*)::int as carried from article_tags join articles on articles.id = article_id
      where tag_id = tags.id and status = 'PUBLISHED') t where articles_count <> carried
  union all select 'dates of links', position, extract(epoch from article_tags.published_at)::int, extract(epoch from articles.published_at)::int
    from article_tags join articles on articles.id = article_id
    where article_tags.published_at is distinct from case status when 'PUBLISHED' then articles.published_at end`;
