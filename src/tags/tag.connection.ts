import { connectionOf } from '../reading/connection.ts';
import { Tag } from './tag.entity.ts';

export const TagConnection = connectionOf('Tag', () => Tag);
