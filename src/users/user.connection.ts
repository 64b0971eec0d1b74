import { connectionOf } from '../reading/connection.ts';
import { User } from './user.entity.ts';

export const UserConnection = connectionOf('User', () => User);
