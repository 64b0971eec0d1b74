import { Link, NavLink } from 'react-router';
import { useViewer } from '../api/viewer.ts';
import { Avatar, profileOf } from './person.tsx';

export function Header() {
  const viewer = useViewer();
  return (
    <nav className="navbar navbar-light">
      <div className="container">
        <Link className="navbar-brand" to="/">
          conduit
        </Link>
        <ul className="nav navbar-nav pull-xs-right">
          <Item to="/">Home</Item>
          {viewer === null && (
            <>
              <Item to="/login">Sign in</Item>
              <Item to="/register">Sign up</Item>
            </>
          )}
          {viewer && (
            <>
              <Item to="/editor">
                <i className="ion-compose" /> New Article
              </Item>
              <Item to="/settings">
                <i className="ion-gear-a" /> Settings
              </Item>
              <Item to={profileOf(viewer.user)}>
                <Avatar user={viewer.user} className="user-pic" /> {viewer.user.username}
              </Item>
            </>
          )}
        </ul>
      </div>
    </nav>
  );
}

const Item = ({ to, children }: { to: string; children: React.ReactNode }) => (
  <li className="nav-item">
    <NavLink className="nav-link" to={to} end>
      {children}
    </NavLink>
  </li>
);
