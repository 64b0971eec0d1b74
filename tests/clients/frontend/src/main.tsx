import { ApolloProvider } from '@apollo/client/react';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { BrowserRouter, Outlet, Route, Routes } from 'react-router';
import { client } from './api/client.ts';
import './conduit.css';
import { ArticlePage } from './pages/article.tsx';
import { EditArticle, NewArticle } from './pages/editor.tsx';
import { HomePage } from './pages/home.tsx';
import { ProfilePage } from './pages/profile.tsx';
import { SettingsPage } from './pages/settings.tsx';
import { LoginPage, RegisterPage } from './pages/sign-in.tsx';
import { NotFound } from './parts/errors.tsx';
import { Header } from './parts/header.tsx';

const Page = () => (
  <>
    <Header />
    <main>
      <Outlet />
    </main>
    <footer>
      <div className="container">
        <span className="logo-font">conduit</span>
        <span className="attribution">A blog on the Conduit GraphQL server.</span>
      </div>
    </footer>
  </>
);

createRoot(document.getElementById('root') as HTMLElement).render(
  <StrictMode>
    <ApolloProvider client={client}>
      <BrowserRouter>
        <Routes>
          <Route element={<Page />}>
            <Route index element={<HomePage />} />
            <Route path="tag/:tag" element={<HomePage />} />
            <Route path="login" element={<LoginPage />} />
            <Route path="register" element={<RegisterPage />} />
            <Route path="settings" element={<SettingsPage />} />
            <Route path="editor" element={<NewArticle />} />
            <Route path="editor/:slug" element={<EditArticle />} />
            <Route path="article/:slug" element={<ArticlePage />} />
            <Route path="profile/:username" element={<ProfilePage list="articles" />} />
            <Route path="profile/:username/favorites" element={<ProfilePage list="favorites" />} />
            <Route path="profile/:username/drafts" element={<ProfilePage list="drafts" />} />
            <Route path="*" element={<NotFound />} />
          </Route>
        </Routes>
      </BrowserRouter>
    </ApolloProvider>
  </StrictMode>,
);
