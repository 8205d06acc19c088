import { useEffect, useRef } from 'react';
import { createBrowserRouter, Outlet, ScrollRestoration, useLocation } from 'react-router';
import { ForYou } from './pages/ForYou';
import { NotFound } from './pages/NotFound';
import { Vehicle } from './pages/Vehicle';
import { t } from './texts';
import { Header } from './ui/Header';
import { SilhouetteInks } from './ui/Silhouette';

/** What every page has around it. */
function Layout() {
  const { pathname } = useLocation();
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);

  // A screen reader has to hear that the page changed: the focus goes to the new page, not at the first load.
  useEffect(() => {
    if (first.current) first.current = false;
    else main.current?.focus({ preventScroll: true });
  }, [pathname]);

  return (
    <>
      <a href="#contenido" className="absolute top-2 left-2 z-50 -translate-y-24 rounded-lg bg-brand px-4 py-3 font-semibold text-on-brand focus:translate-y-0">
        {t.skipToContent}
      </a>
      <SilhouetteInks />
      <Header />
      <main id="contenido" ref={main} tabIndex={-1} className="mx-auto max-w-[86rem] px-4 pb-16 outline-none sm:px-6">
        <Outlet />
      </main>
      <ScrollRestoration />
    </>
  );
}

export const router = createBrowserRouter([
  {
    element: <Layout />,
    children: [
      { path: '/', element: <ForYou /> },
      { path: '/vehiculos/:id', element: <Vehicle /> },
      { path: '*', element: <NotFound /> },
    ],
  },
]);
