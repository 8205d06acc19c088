import { Link } from 'react-router';
import { t } from '../texts';
import { useTheme } from '../theme';
import { DemoMenu } from './DemoMenu';
import { Moon, Sun, WordMark } from './Icons';

export function Header() {
  const [theme, toggle] = useTheme();
  return (
    <header style={{ viewTransitionName: 'header' }} className="sticky top-0 z-30 border-b border-line bg-bg/85 backdrop-blur-md">
      <div className="mx-auto flex h-16 max-w-[86rem] items-center gap-2 px-4 sm:px-6">
        <Link to="/" aria-label={`${t.brand}: ${t.forYou.title}`} className="-mx-2 rounded-lg px-2 py-1 text-ink">
          <WordMark />
        </Link>
        <nav aria-label={t.nav.label} className="ml-auto flex items-center gap-1">
          <a href="/docs/" className="rounded-lg px-3 py-2 text-sm font-medium text-muted hover:bg-sunken hover:text-ink">
            {t.nav.docs}
          </a>
          <button type="button" onClick={toggle} aria-label={theme === 'dark' ? t.theme.toLight : t.theme.toDark} className="grid size-11 place-items-center rounded-full text-muted hover:bg-sunken hover:text-ink">
            {theme === 'dark' ? <Sun /> : <Moon />}
          </button>
          <DemoMenu />
        </nav>
      </div>
    </header>
  );
}
