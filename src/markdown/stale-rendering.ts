/**
 * A trigger that forgets what was rendered when `body` is changed without it, as other programs and older versions of the server
 * do. Whatever renders sets `rendered_at`, which is how the two differ.
 */
export const clearWhenStale = (...rendered: readonly string[]) => ({
  name: 'clear_stale_rendering',
  timing: 'before' as const,
  events: ['update' as const],
  body:
    'if new.rendered_at is not distinct from old.rendered_at and new.body is distinct from old.body then ' +
    `${rendered.map((column) => `new.${column} = null; `).join('')}new.renderer_version = 0; end if; return new;`,
});
