import { createHash } from 'node:crypto';
import type { FastifyInstance } from 'fastify';

/** GET /avatars/:name.svg: a face for a user without a picture, always the same for a name. */
export function addAvatarEndpoint(server: FastifyInstance): void {
  server.get<{ Params: { name: string } }>('/avatars/:name.svg', (request, reply) =>
    reply
      .type('image/svg+xml; charset=utf-8')
      .header('cache-control', 'public, max-age=86400')
      .header('cross-origin-resource-policy', 'cross-origin') // frontends have origins of their own
      .send(drawFace(request.params.name)),
  );
}

/** The drawing contains nothing of the name, so a name cannot inject markup. */
function drawFace(name: string): string {
  const bytes = createHash('sha256').update(name).digest();
  const pick = <T>(index: number, choices: readonly T[]) => choices[(bytes[index] ?? 0) % choices.length] as T;
  const between = (index: number, from: number, to: number) => from + ((bytes[index] ?? 0) % (to - from + 1));

  const [background, skin, ink] = pick(0, PALETTES);
  const head = `translate(${between(2, 1, 7)} ${between(3, 3, 8)}) scale(.78) rotate(${between(1, -35, 35)} 18 18)`;
  const face = `rotate(${between(4, -10, 10)} 18 18) translate(${between(5, -2, 2)} ${between(6, 0, 3)})`;
  const apart = between(7, 3, 6);
  const mouth = pick(8, MOUTHS);
  return [
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 36 36" width="144" height="144">',
    `<rect width="36" height="36" fill="${background}"/>`,
    `<rect width="36" height="36" rx="${pick(9, [9, 13, 18])}" fill="${skin}" transform="${head}"/>`,
    `<g transform="${face}">`,
    `<g fill="${ink}"><circle cx="${18 - apart}" cy="15" r="1.6"/><circle cx="${18 + apart}" cy="15" r="1.6"/></g>`,
    `<path d="${mouth}" fill="none" stroke="${ink}" stroke-width="1.4" stroke-linecap="round"/>`,
    '</g></svg>',
  ].join('');
}

/** Colors of the background, of the head, and of eyes and mouth. */
const PALETTES = [
  ['#264653', '#e9c46a', '#264653'],
  ['#2a9d8f', '#f4e3b2', '#1d3b37'],
  ['#e76f51', '#ffd8be', '#5a2a1f'],
  ['#6d597a', '#f1c0b9', '#3d2f45'],
  ['#355070', '#eaac8b', '#2b2d42'],
  ['#588157', '#dad7cd', '#283618'],
  ['#b56576', '#ffe5d9', '#4a1f2a'],
  ['#457b9d', '#f1faee', '#1d3557'],
  ['#bc6c25', '#fefae0', '#4a2f12'],
  ['#4f5d75', '#ffcb9a', '#22303c'],
] as const;

const MOUTHS = ['M14 21q4 4 8 0', 'M15 21q3 2.5 6 0', 'M14.5 20.5q3.5 5 7 0', 'M15 22h6', 'M15.5 21.5q3 1.5 5.5 -.8'];
